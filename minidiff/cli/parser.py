"""The command line: arguments in, exit status out. Nothing here computes, and --help loads nothing heavy."""

import argparse
import os
import re
import sys
from importlib import import_module

from .. import __version__


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line, and an option is written out."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def read(self, words):
        """The arguments in words; exits with 2, naming the nearest, where a command or an option is not known."""
        p, kind, known, name = self, "command", self.commands.choices, words[0] if words else "-"
        if name[:1] == "-" or name in known:
            args, rest = self.parse_known_args(words)
            if not rest:
                return args
            p, kind, name = known[args.command], "argument", next((w for w in rest if w[:1] == "-"), rest[0]).split("=")[0]
            known = re.findall(r"--[\w-]+", p.format_usage())
        names = import_module(".names", __package__)  # only now: it loads everything that has a name
        p.error(str(names.unknown(kind, known, name)))

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

    def command(name, place, says, example):
        """add_argument of a new command: place is "module.function" of this room, imported when it is called."""
        module, f = place.split(".")
        p = subparsers.add_parser(name, help=says, description=says, epilog=f"example: minidiff {name} {example}")
        p.set_defaults(f=lambda args: vars(import_module(f".{module}", __package__))[f](args), help=p.print_help)
        p.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        return p.add_argument

    def common(option, out="the run's folder", seed=0):
        told = "whole number >= 0; same seed and kind of processor: same result (default 0)"
        option("--seed", type=int, default=seed, help=told)
        option("--out", metavar="FOLDER", help=f"where to write (default: {out})")
        option("--threads", type=int, help="cores to use (default: all, at most 8); results do not depend on it")
        option("--plain", action="store_true", help="use the readable code only (slower)")

    def schedule(option, name=None, T=None):
        option("--schedule", default=name, metavar="NAME", help="linear (default), linear-scaled or cosine")
        option("--T", type=int, default=T, help="number of noising steps (default 1000)")

    def sampler(option):
        names = "ddpm (default), ddim, euler, heun, rk4, dpm-solver-1, dpm-solver++, reverse-sde or langevin"
        straight = "; a run with the objective flow walks its straight path with euler (default), heun and rk4"
        option("--sampler", metavar="NAME", help=names + straight)
        option("--var", metavar="NAME", help="ddpm's variance: beta-tilde (default), beta or gaussian-optimal")
        option("--eta", type=float, help="ddim's share of fresh noise, 0..1 (default 0)")
        defaults = "ddpm and reverse-sde T, langevin 100, heun and dpm-solver++ 25, rk4 15, others 50"
        option("--steps", type=int, help=f"steps, 1..T (default: {defaults})")
        option("--spacing", default="trailing", metavar="NAME", help="trailing (default), leading or linspace")

    def of_run(option):
        option("run", metavar="RUN", help="the folder of a run, or its checkpoint")
        option("--n", type=int, default=1000, help="how many samples (default 1000)")
        option("--label", metavar="K,...", help="of a --conditional run: what to draw, in turn, or none (default: all)")
        option("--w", type=float, help="guidance weight: 0 unconditional, 1 conditional, larger is sharper (default 2)")
        sampler(option)
        common(option)

    option = command("demo", "commands.demo", "Digits from noise: trains, samples, draws, judges.", "--quick")
    option("--quick", action="store_true", help="small, in about fifteen seconds")
    common(option, "runs/demo, with --quick runs/demo-quick")

    option = command("train", "commands.train", "Trains a denoiser.", "--data moons --steps 4000 --out runs/moons")
    made = "mixture, eight-gaussians, moons, ring, swiss-roll, checkerboard, digits, glyphs, glyphs-SIZE"
    files = ".npy, .npz (x or X; label, labels or y), .csv, or IDX (MNIST)"
    option("--data", metavar="D", help=f"{made}, or a file: {files}")
    option("--shape", type=int, nargs="+", metavar="N", help="of the picture in a row of numbers: 28 28, or 28 28 3")
    option("--label-column", metavar="NAME", help="of a .csv: whole numbers that are no data (default: label, if any)")
    option("--model", metavar="NAME", help="mlp (default) or, for pictures, unet")
    option("--conditional", action="store_true", help="tell the unet the data's labels, dropping one in ten")
    option("--steps", type=int, default=4000, help="train up to this step (default 4000)")
    option("--batch", type=int, help="rows a step (default 256, unet 64)")
    option("--lr", type=float, help="Adam's learning rate (default 0.003, unet 0.002)")
    option("--width", type=int, help="of the hidden layers (default 128); unet: channels at full size (16)")
    option("--depth", type=int, help="residual layers (default 3); unet: how often it halves the picture (2)")
    option("--objective", metavar="NAME", help="what the network answers: v (default), eps (the lecture's), x0 or flow")
    option("--weight", metavar="NAME", help="what its errors count: simple (default), derived or min-snr")
    option("--times", metavar="NAME", help="which t it sees: uniform (default) or logit-normal")
    option("--warmup", type=int, help="steps over which lr rises from 0 (default 0, unet 100)")
    option("--resume", action="store_true", help="continue --out, bit for bit as if never stopped")
    schedule(option)
    common(option, "runs/NAME of the data", seed=None)

    option = command("sample", "commands.sample", "Draws numbers and pictures.", "runs/moons --sampler ddim --steps 20")
    of_run(option)
    option("--gif", action="store_true", help="also draw the way there as a GIF")

    option = command("eval", "commands.evaluate", "How far samples are from data, and data from data.", "runs/moons --n 500")
    of_run(option)
    option("--likelihood", action="store_true", help="also the ELBO by t and the ODE's likelihood")

    option = command("info", "commands.info", "What is in a checkpoint.", "runs/moons")
    option("run", metavar="RUN", help="the folder of a run, or its checkpoint")

    option = command("bench", "bench.bench", "How fast, and what share of this machine's limit.", "--threads 1")
    option("--repeats", type=int, default=5, help="of every measurement (default 5)")
    option("--threads", type=int, help="cores to use (default: all, at most 8)")

    option = command("doctor", "theory.doctor", "Does a schedule end in noise? Exit 1: not quite.", "--schedule linear --T 50")
    schedule(option, "linear", 1000)
    option("--data-std", type=float, default=1.0, help="standard deviation of the data (default 1)")

    option = command("oracle", "theory.oracle", "A sampler's bias on Gaussian data, exactly.", "--sampler ddim --data-std 0.15")
    sampler(option)
    option("--data-mean", type=float, default=0.2, help="mean of the Gaussian data (default 0.2)")
    option("--data-std", type=float, default=0.15, help="standard deviation of the data (default 0.15)")
    schedule(option, "linear", 1000)

    option = command("notation", "theory.notation", "What each paper's letters are here.", "karras")
    option("paper", nargs="?", metavar="PAPER", help="only this one: ho, ddim, prince, karras, vdm, song or flow")

    def seeded(option):
        option("--seed", type=int, default=0, help="of the random numbers (default 0)")

    def lectured(option):
        option("--lecture", type=int, metavar="N", help="only this lecture's")
        seeded(option)

    def notated(option):
        option("--notation", default="ddpm", metavar="BOOK", help="your letters: ddpm (default), ddim or prince")
        seeded(option)

    option = command("verify", "formulas.verify", "Measures the formula sheet, right and wrong versions.", "--lecture 1")
    option("names", nargs="*", metavar="NAME", help="formulas (default: all); minidiff show lists them")
    lectured(option)

    judged, example = "Is your formula right? Exit 0: right, 1: wrong, 2: not understood.", 'posterior-variance "beta[t]"'
    option = command("check", "formulas.check", judged, example)
    option("name", metavar="NAME", help="a formula; minidiff show lists them")
    option("expression", metavar="EXPR", help="your version: as typed, in Unicode or LaTeX (quote it)")
    notated(option)

    judged, example = "Are two lines of a derivation equal? Exit 0, 1 or 2 as check.", '"alpha[t]" "1 - beta[t]"'
    option = command("equal", "formulas.equal", judged, example)
    option("left", metavar="EXPR", help="one line of a derivation")
    option("right", metavar="EXPR", help="another")
    notated(option)

    option = command("compute", "formulas.compute", "A formula with your numbers.", "posterior-variance --beta .1,.2,.3 --t 2")
    option("name", metavar="NAME", help="a formula; minidiff show lists them")
    option("numbers", nargs=argparse.REMAINDER, metavar="--LETTER VALUE", help="such as --beta .1,.2,.3 --t 2 --x_0 1.5")

    option = command("show", "formulas.show_entry", "All about a formula, or the list of them.", "posterior-variance --plot")
    option("name", nargs="?", metavar="NAME", help="a formula (default: the list)")
    option("--plot", action="store_true", help="draw it: claimed curve, wrong versions, measured points")
    option("--out", metavar="FILE", help="where to draw it (default runs/formulas/NAME.png)")

    option = command("quiz", "formulas.quiz", "Pen-and-paper questions; wrong answers are real slips.", "--lecture 1")
    option("--n", type=int, default=8, help="how many questions (default 8)")
    option("--pdf", metavar="FILE", help="print it, the key on its own page, instead of asking")
    lectured(option)

    option = command("sheet", "formulas.sheet", "The formula sheet on paper, for an exam.", "--pdf sheet.pdf")
    option("--pdf", metavar="FILE", required=True, help="where to write it")
    option("--long", action="store_true", help="a booklet: each formula with its reason and its measured check")
    lectured(option)
    return top


def main(argv=None):
    """The command line; returns the exit status: 0, 1 (the answer is no), 2 (not understood), 130 (Ctrl-C)."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy loads: see threads.py
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] in (["check"], ["equal"]):  # a formula may begin with a minus, which argparse takes for an option
        words = [f" {w}" if w[:1] == "-" and w[:2] != "--" and w != "-h" else w for w in words]
    args = parser().read(words)
    settings = vars(args)
    try:
        if (seed := settings.get("seed") or 0) < 0:
            raise ValueError(f"seed must not be negative, got {seed}")
        if (threads := settings.get("threads")) is not None:
            if not 1 <= threads <= 64:
                raise ValueError(f"threads must be at least 1 and at most 64, got {threads}")
            os.environ["MINIDIFF_THREADS"] = str(threads)
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
