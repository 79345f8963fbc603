"""Lectures 2 and 3: noising in continuous time.

ode      Euler, Heun, Runge-Kutta
sde      the score's lens: SDEs, the probability-flow ODE, exact likelihood
solvers  more samplers: ODE, SDE, DPM-Solver, Langevin
flow     the flow's lens: straight paths, velocity, reflow (time runs the other way)
"""
