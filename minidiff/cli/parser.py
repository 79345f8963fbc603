"""The command line: arguments in, exit status out. Nothing here computes, and --help loads nothing heavy."""

import argparse
import os
import re
import sys

from .. import __version__
from . import answers, commands
from . import formulas as sheet


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line, and an option is written out."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def read(self, words):
        """The arguments in words; exits with 2, naming the nearest, where a command or an option is not known."""
        p, kind, known, name = self, "command", self.commands.choices, words[0] if words else "-"
        if name[:1] == "-":
            return self.parse_args(words)
        if name in known:
            args, rest = self.parse_known_args(words)
            if not rest:
                return args
            p, kind, name = known[name], "argument", next((w for w in rest if w[:1] == "-"), rest[0]).split("=")[0]
            known = re.findall(r"--[\w-]+", p.format_usage())
        from .names import unknown

        p.error(str(unknown(kind, known, name)))

    def error(self, message):
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def parser():
    """All commands and their options."""
    top = Parser(
        prog="minidiff", description="Diffusion models from scratch in NumPy and Numba.", epilog="start with: minidiff demo"
    )
    top.add_argument("--version", action="version", version=f"minidiff {__version__}")
    top.commands = subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    def command(name, f, example):
        p = subparsers.add_parser(name, help=f.__doc__, description=f.__doc__, epilog=f"example: {example}")
        p.set_defaults(f=f)
        p.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        return p

    def common(p, out="the run's folder", seed=0):
        told = "whole number >= 0; same seed and kind of processor: same result (default 0)"
        p.add_argument("--seed", type=int, default=seed, help=told)
        p.add_argument("--out", metavar="FOLDER", help=f"where to write (default: {out})")
        p.add_argument("--threads", type=int, help="cores to use (default: all, at most 8); results do not depend on it")

    def schedule(p, **default):
        names = "linear, linear-scaled or cosine (default linear)"
        p.add_argument("--schedule", default=default.get("schedule"), metavar="NAME", help=names)
        p.add_argument("--T", type=int, default=default.get("T"), help="number of noising steps (default 1000)")

    def sampler(p):
        p.add_argument("--sampler", metavar="NAME", help="ddpm (default), ddim, euler, heun, rk4, dpm-solver-1, dpm-solver++, "
                       "reverse-sde or langevin; a run with the objective flow walks its straight path with euler (default), "
                       "heun and rk4")  # fmt: skip
        p.add_argument("--var", metavar="NAME", help="ddpm's variance: beta-tilde (default), beta or gaussian-optimal")
        p.add_argument("--eta", type=float, help="ddim's share of fresh noise, 0..1 (default 0)")
        p.add_argument("--steps", type=int, help="steps, 1..T (default: ddpm and reverse-sde T, langevin 100, heun and "
                       "dpm-solver++ 25, rk4 15, others 50)")  # fmt: skip
        p.add_argument("--spacing", default="trailing", metavar="NAME", help="trailing (default), leading or linspace")

    def of_run(p, n):
        p.add_argument("run", metavar="RUN", help="the folder of a run, or its checkpoint")
        p.add_argument("--n", type=int, default=n, help=f"how many samples (default {n})")
        p.add_argument("--label", metavar="K,...", help="of a --conditional run: what to draw, in turn, or none (default: all)")
        p.add_argument("--w", type=float, help="guidance weight: 0 unconditional, 1 conditional, larger is sharper (default 2)")
        sampler(p)

    p = command("demo", commands.demo, "minidiff demo --quick")
    p.add_argument("--quick", action="store_true", help="small, in about fifteen seconds")
    common(p, "runs/demo, with --quick runs/demo-quick")

    p = command("train", commands.train, "minidiff train --data moons --steps 4000 --out runs/moons")
    p.add_argument("--data", metavar="D", help="mixture, eight-gaussians, moons, ring, swiss-roll, checkerboard, digits, "
                   "glyphs, glyphs-SIZE, or a file: .npy, .npz (x or X; label, labels or y), .csv, or IDX (MNIST)")  # fmt: skip
    p.add_argument("--shape", type=int, nargs="+", metavar="N", help="of the picture in a row of numbers: 28 28, or 28 28 3")
    p.add_argument("--label-column", metavar="NAME", help="of a .csv: whole numbers that are no data (default: label, if any)")
    p.add_argument("--model", metavar="NAME", help="mlp (default) or, for pictures, unet")
    p.add_argument("--conditional", action="store_true", help="tell the unet the data's labels, dropping one in ten")
    p.add_argument("--steps", type=int, default=4000, help="train up to this step (default 4000)")
    p.add_argument("--batch", type=int, help="rows a step (default 256, unet 64)")
    p.add_argument("--lr", type=float, help="Adam's learning rate (default 0.003, unet 0.002)")
    p.add_argument("--width", type=int, help="of the hidden layers (default 128); unet: channels at full size (16)")
    p.add_argument("--depth", type=int, help="residual layers (default 3); unet: how often it halves the picture (2)")
    p.add_argument("--objective", metavar="NAME", help="what the network answers: v (default), eps (the lecture's), x0 or flow")
    p.add_argument("--weight", metavar="NAME", help="what its errors count: simple (default), derived or min-snr")
    p.add_argument("--times", metavar="NAME", help="which t it sees: uniform (default) or logit-normal")
    p.add_argument("--warmup", type=int, help="steps over which lr rises from 0 (default 0, unet 100)")
    p.add_argument("--resume", action="store_true", help="continue --out, bit for bit as if never stopped")
    schedule(p)
    common(p, "runs/NAME of the data", seed=None)

    p = command("sample", commands.sample, "minidiff sample runs/moons --sampler ddim --steps 20 --n 2000")
    of_run(p, 1000)
    p.add_argument("--gif", action="store_true", help="also draw the way there as a GIF")
    common(p)

    p = command("eval", commands.evaluate, "minidiff eval runs/moons --sampler ddim --steps 20")
    of_run(p, 1000)
    p.add_argument("--likelihood", action="store_true", help="also the ELBO by t and the ODE's likelihood")
    common(p)

    p = command("info", answers.info, "minidiff info runs/moons")
    p.add_argument("run", metavar="RUN", help="the folder of a run, or its checkpoint")

    p = command("bench", answers.bench, "minidiff bench --threads 1")
    p.add_argument("--repeats", type=int, default=5, help="of every measurement (default 5)")
    p.add_argument("--threads", type=int, help="cores to use (default: all, at most 8)")

    p = command("doctor", answers.doctor, "minidiff doctor --schedule linear --T 50")
    schedule(p, schedule="linear", T=1000)
    p.add_argument("--data-std", type=float, default=1.0, help="standard deviation of the data (default 1)")

    p = command("oracle", answers.oracle, "minidiff oracle --sampler ddim --steps 50 --data-mean 0.2 --data-std 0.15")
    sampler(p)
    p.add_argument("--data-mean", type=float, default=0.2, help="mean of the Gaussian data (default 0.2)")
    p.add_argument("--data-std", type=float, default=0.15, help="standard deviation of the data (default 0.15)")
    schedule(p, schedule="linear", T=1000)

    p = command("notation", answers.notation, "minidiff notation karras")
    p.add_argument("paper", nargs="?", metavar="PAPER", help="only this one: ho, ddim, prince, karras, vdm, song or flow")

    def seeded(p):
        p.add_argument("--seed", type=int, default=0, help="of the random numbers (default 0)")

    def lectured(p):
        p.add_argument("--lecture", type=int, metavar="N", help="only this lecture's")

    def notated(p):
        p.add_argument("--notation", default="ddpm", metavar="BOOK", help="your letters: ddpm (default), ddim or prince")

    p = command("verify", sheet.verify, "minidiff verify --lecture 1")
    p.add_argument("names", nargs="*", metavar="NAME", help="formulas (default: all); minidiff show lists them")
    lectured(p)
    seeded(p)

    p = command("check", sheet.check, 'minidiff check posterior-variance "(1-alpha_bar[t-1])/(1-alpha_bar[t])*beta[t]"')
    p.add_argument("name", metavar="NAME", help="a formula; minidiff show lists them")
    p.add_argument("expression", metavar="EXPR", help="your version: as typed, in Unicode or LaTeX (quote it)")
    notated(p)
    seeded(p)

    p = command("equal", sheet.equal, 'minidiff equal "1 - alpha_bar[t]" "1 - alpha[t]*alpha_bar[t-1]"')
    p.add_argument("left", metavar="EXPR", help="one line of a derivation")
    p.add_argument("right", metavar="EXPR", help="another")
    notated(p)
    seeded(p)

    p = command("compute", sheet.compute, "minidiff compute posterior-variance --beta .1,.2,.3 --t 2")
    p.add_argument("name", metavar="NAME", help="a formula; minidiff show lists them")
    p.set_defaults(help=p.print_help)  # REMAINDER would swallow --help
    numbers = "your numbers: --beta .1,.2,.3 --t 2 --x_0 1.5"
    p.add_argument("numbers", nargs=argparse.REMAINDER, metavar="--LETTER VALUE", help=numbers)

    p = command("show", sheet.show_entry, "minidiff show posterior-variance --plot")
    p.add_argument("name", nargs="?", metavar="NAME", help="a formula (default: the list)")
    p.add_argument("--plot", action="store_true", help="draw it: claimed curve, wrong versions, measured points")
    p.add_argument("--out", metavar="FILE", help="where to draw it (default runs/formulas/NAME.png)")

    p = command("quiz", sheet.quiz, "minidiff quiz --lecture 1 --pdf quiz.pdf")
    p.add_argument("--n", type=int, default=8, help="how many questions (default 8)")
    p.add_argument("--pdf", metavar="FILE", help="print it, the key on its own page, instead of asking")
    lectured(p)
    seeded(p)

    p = command("sheet", sheet.sheet, "minidiff sheet --pdf sheet.pdf")
    p.add_argument("--pdf", metavar="FILE", required=True, help="where to write it")
    lectured(p)
    seeded(p)
    return top


def main(argv=None):
    """The command line; returns the exit status: 0, 1 (the answer is no), 2 (not understood), 130 (Ctrl-C)."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy loads: see threads.py
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] in (["check"], ["equal"]):  # a formula may begin with a minus, which argparse takes for an option
        words = [f" {w}" if w[:1] == "-" and w[:2] != "--" and w != "-h" else w for w in words]
    args = parser().read(words)
    try:
        if (getattr(args, "seed", 0) or 0) < 0:
            raise ValueError(f"seed must not be negative, got {args.seed}")
        if getattr(args, "threads", None) is not None:
            if not 1 <= args.threads <= 64:
                raise ValueError(f"threads must be at least 1 and at most 64, got {args.threads}")
            os.environ["MINIDIFF_THREADS"] = str(args.threads)
        return args.f(args)
    except BrokenPipeError:  # whoever read our output has stopped reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, OSError, MemoryError, OverflowError, FloatingPointError) as e:
        print(f"minidiff {args.command}: {str(e).splitlines()[0] if str(e) else type(e).__name__}", file=sys.stderr)
        return 1 if isinstance(e, FloatingPointError) else 2
    except KeyboardInterrupt:
        print(f"\nminidiff {args.command}: interrupted", file=sys.stderr)
        return 130
