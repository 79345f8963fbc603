"""Lectures 2 and 3: noising in continuous time.

process  VP, VE, and a Schedule between its steps: alpha_bar at every real t
ode      Euler, Heun, Runge-Kutta
sde      the second lens, the score: SDEs, the probability-flow ODE, exact likelihood
flow     the third lens: straight paths, velocity, reflow (time runs the other way)
solvers  more samplers: ODE, SDE, DPM-Solver, Langevin
"""
