"""The command line: arguments in, exit status out. Nothing here computes, and what a command needs loads when it is called."""

import argparse
import os
import re
import sys
from importlib import import_module

from .. import __version__


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line."""

    def read(self, words):
        """The arguments in words; exits with 2, naming the nearest, where a command or an option is not known."""
        from ..runs.names import unknown

        p, kind, known, name = self, "command", self.commands.choices, words[0] if words else "-"
        if name[:1] == "-" or name in known:
            args, rest = self.parse_known_args(words)
            if not rest:
                return args
            p, kind, name = (
                known[args.command],
                "argument",
                next((w for w in rest if w[:1] == "-"), rest[0]).split("=")[0],
            )
            known = re.findall(r"--[\w-]+", p.format_usage())
        p.error(str(unknown(kind, known, name)))

    def error(self, message):
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def parser():
    """All commands and their options, each written out: none may be cut short."""
    from ..runs import names  # only now: importing the package loads no NumPy

    says = "Diffusion models from scratch in NumPy and Numba."
    top = Parser(prog="minidiff", description=says, epilog="start with: minidiff demo", allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"minidiff {__version__}")
    top.commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    known = lambda table, default: f"{', '.join(table)} (default {default})"  # noqa: E731
    walk = f"ddpm; a run with the objective flow walks its straight path by {', '.join(names.STRAIGHT)}, default euler"
    steps = ", ".join(f"{name} {number or 'T'}" for name, (_, number) in names.SAMPLERS.items())
    shared = {  # options of more than one command
        "run": {"metavar": "RUN", "help": "the folder of a run, or its checkpoint"},
        "name": {"metavar": "NAME", "help": "a formula; minidiff show lists them"},
        "--n": {"type": int, "default": 1000, "help": "how many samples (default 1000)"},
        "--label": {
            "metavar": "K,...",
            "help": "of a --conditional run: what to draw, in turn, or none (default: all)",
        },
        "--w": {
            "type": float,
            "help": "guidance weight: 0 unconditional, 1 conditional, larger is sharper (default 2)",
        },
        "--sampler": {"metavar": "NAME", "help": known(names.SAMPLERS, walk)},
        "--var": {"metavar": "NAME", "help": f"ddpm's variance: {known(names.VARIANCES, 'beta-tilde')}"},
        "--eta": {"type": float, "help": "ddim's share of fresh noise, 0..1 (default 0)"},
        "--steps": {"type": int, "help": f"steps, 1..T (default: {steps})"},
        "--spacing": {"default": "trailing", "metavar": "NAME", "help": known(names.SPACINGS, "trailing")},
        "--schedule": {"default": "linear", "metavar": "NAME", "help": known(names.SCHEDULES, "linear")},
        "--T": {"type": int, "default": 1000, "help": "number of noising steps (default 1000)"},
        "--lecture": {"type": int, "metavar": "N", "help": "only this lecture's"},
        "--notation": {
            "default": "ddpm",
            "metavar": "BOOK",
            "help": "your letters: ddpm (default), ddim or prince",
        },
        "--seed": {
            "type": int,
            "default": 0,
            "help": "same seed >= 0 and kind of processor: same result (default 0)",
        },
        "--out": {"metavar": "FOLDER", "help": "where to write (default: the run's folder)"},
        "--threads": {
            "type": int,
            "help": "cores to use (default: all, at most 8); results do not depend on it",
        },
        "--plain": {"action": "store_true", "help": "use the readable code only (slower)"},
    }
    sampler = ["--sampler", "--var", "--eta", "--steps", "--spacing"]
    of_run = ["run", "--label", "--w", *sampler, "--seed", "--out", "--threads", "--plain"]

    def command(name, place, says, example):
        """option(*flags, **how) of a new command: as in `shared`, but for `how`. place is "module.function" of this room."""
        module, _, f = place.rpartition(".")
        epilog = f"example: minidiff {name} {example}"
        p = top.commands.add_parser(name, help=says, description=says, epilog=epilog, allow_abbrev=False)
        p.set_defaults(
            f=lambda args: vars(import_module(f".{module}", __package__))[f](args), help=p.print_help
        )
        p.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        return lambda *flags, **how: [p.add_argument(flag, **shared.get(flag, {}) | how) for flag in flags]

    option = command("demo", "commands.demo", "Digits from noise: trains, samples, draws, judges.", "--quick")
    option("--quick", action="store_true", help="small, in about fifteen seconds")
    option("--out", help="where to write (default: runs/demo, with --quick runs/demo-quick)")
    option("--seed", "--threads", "--plain")

    option = command(
        "train", "commands.train", "Trains a denoiser.", "--data moons --steps 4000 --out runs/moons"
    )
    made = ", ".join(names.DATA_SETS)
    option(
        "--data",
        metavar="D",
        help=f"{made}, glyphs-SIZE, or a file: .npy, .npz (x, X; label, labels, y), .csv, IDX (MNIST)",
    )
    option(
        "--shape",
        type=int,
        nargs="+",
        metavar="N",
        help="of the picture in a row of numbers: 28 28, or 28 28 3",
    )
    option(
        "--label-column",
        metavar="NAME",
        help="of a .csv: whole numbers that are no data (default: label, if any)",
    )
    option("--model", metavar="NAME", help=known(names.MODELS, "mlp; unet is for pictures"))
    option("--conditional", action="store_true", help="tell the unet the data's labels, dropping one in ten")
    option("--steps", default=4000, help="train up to this step (default 4000)")
    option("--batch", type=int, help="rows a step (default 256, unet 64)")
    option("--lr", type=float, help="Adam's learning rate (default 0.003, unet 0.002)")
    option("--width", type=int, help="of the hidden layers (default 128); unet: channels at full size (16)")
    option("--depth", type=int, help="residual layers (default 3); unet: how often it halves the picture (2)")
    option(
        "--objective",
        metavar="NAME",
        help="what the network answers: " + known(names.OBJECTIVES, "v; eps is the lecture's"),
    )
    option("--weight", metavar="NAME", help=f"what its errors count: {known(names.WEIGHTS, 'simple')}")
    option("--times", metavar="NAME", help=f"which t it sees: {known(names.TIMES, 'uniform')}")
    option("--warmup", type=int, help="steps over which lr rises from 0 (default 0, unet 100)")
    option("--resume", action="store_true", help="continue --out, bit for bit as if never stopped")
    option("--out", help="where to write (default: runs/NAME of the data)")
    option("--schedule", "--T", "--seed", default=None)  # so that --resume sees whether they were typed
    option("--threads", "--plain")

    option = command(
        "sample", "commands.sample", "Draws numbers and pictures.", "runs/moons --sampler ddim --steps 20"
    )
    option("--n", default=None)
    parts = "the same bits as all at once; nothing is computed twice at multiples of 4096, of a unet 256"
    option("--rows", metavar="A:B", help=f"only rows A..B-1 of the n (default: B): {parts}")
    option(*of_run)
    option("--gif", action="store_true", help="also draw the way there as a GIF")

    option = command(
        "eval",
        "commands.evaluate",
        "How far samples are from data, and data from data.",
        "runs/moons --n 500",
    )
    option("--n", *of_run)
    option("--likelihood", action="store_true", help="also the ELBO by t and the ODE's likelihood")

    option = command("info", "commands.info", "What is in a checkpoint.", "runs/moons")
    option("run")

    option = command(
        "export", "export.export", "A run for another engine: its network as code, its weights.", "runs/moons"
    )
    option("run")
    option("--to", metavar="ENGINE", default="pytorch", help="which engine: pytorch (default)")
    option("--out", metavar="FOLDER", help="where to write (default: pytorch in the run's folder)")

    option = command(
        "bench", "bench.bench", "How fast, and what share of this machine's limit.", "--threads 1"
    )
    option("--repeats", type=int, default=5, help="of every measurement (default 5)")
    option("--plot", metavar="FILE", help="draw each row against its limit, as a .png")
    option("--threads", help="cores to use (default: all, at most 8)")

    option = command(
        "doctor",
        "theory.doctor",
        "Does a schedule end in noise? Exit 1: not quite.",
        "--schedule linear --T 50",
    )
    option("--schedule", "--T")
    option("--data-std", type=float, default=1.0, help="standard deviation of the data (default 1)")

    option = command(
        "oracle",
        "theory.oracle",
        "A sampler's bias on Gaussian data, exactly.",
        "--sampler ddim --data-std 0.15",
    )
    option(*sampler, "--schedule", "--T")
    option("--data-mean", type=float, default=0.2, help="mean of the Gaussian data (default 0.2)")
    option("--data-std", type=float, default=0.15, help="standard deviation of the data (default 0.15)")

    option = command("notation", "theory.notation", "What each paper's letters are here.", "karras")
    option(
        "paper", nargs="?", metavar="PAPER", help="only this one: ho, ddim, prince, karras, vdm, song or flow"
    )

    option = command(
        "verify", "formulas.verify", "Measures the formula sheet, right and wrong versions.", "--lecture 1"
    )
    option("names", nargs="*", metavar="NAME", help="formulas (default: all); minidiff show lists them")
    option("--lecture", "--seed")

    judged = "Is your formula right? Exit 0: right, 1: wrong, 2: not understood."
    option = command("check", "formulas.check", judged, 'posterior-variance "beta[t]"')
    option("name")
    option("expression", metavar="EXPR", help="your version: as typed, in Unicode or LaTeX (quote it)")
    option("--notation", "--seed")

    option = command(
        "equal", "formulas.equal", "Are two lines equal? Exit 0, 1 or 2 as check.", '"alpha[t]" "1 - beta[t]"'
    )
    option("left", metavar="EXPR", help="one line of a derivation")
    option("right", metavar="EXPR", help="another")
    option("--notation", "--seed")

    option = command(
        "compute",
        "formulas.compute",
        "A formula with your numbers.",
        "posterior-variance --beta .1,.2,.3 --t 2",
    )
    option("name")
    option(
        "numbers",
        nargs=argparse.REMAINDER,
        metavar="--LETTER VALUE",
        help="such as --beta .1,.2,.3 --t 2 --x0 1.5",
    )

    option = command(
        "show",
        "formulas.show_entry",
        "All about a formula, or the list of them.",
        "posterior-variance --plot",
    )
    option("name", nargs="?", help="a formula (default: the list)")
    option("--plot", action="store_true", help="draw it: claimed curve, wrong versions, measured points")
    option("--out", metavar="FILE", help="where to draw it (default runs/formulas/NAME.png)")

    option = command(
        "quiz", "formulas.quiz", "Pen-and-paper questions; wrong answers are real slips.", "--lecture 1"
    )
    option("--n", default=8, help="how many questions (default 8)")
    option("--pdf", metavar="FILE", help="print it, the key on its own page, instead of asking")
    option("--lecture")
    option("--seed", default=None, help="asks the same questions again (default: others each time)")

    option = command("sheet", "formulas.sheet", "The formula sheet on paper, for an exam.", "--pdf sheet.pdf")
    option("--pdf", metavar="FILE", required=True, help="where to write it")
    option(
        "--long", action="store_true", help="a booklet: each formula with its reason and its measured check"
    )
    option("--lecture", "--seed")

    option = command(
        "study", ".learn.commands.study", "Two evenings, idea by idea, and a mock exam.", "--exam 90"
    )
    option("--exam", type=int, metavar="MINUTES", help="a mock exam of that length, with key and marks")
    option("--pdf", metavar="FILE", help="print the exam, the key on its own pages")
    option("--forget", action="store_true", help="begin anew: what was answered is forgotten")
    option("--seed", default=None, help="of the questions (default: others each time)")

    option = command("mistakes", ".learn.commands.mistakes", "A museum of one-line mistakes.", "off-by-one")
    option(
        "name", nargs="?", metavar="NAME", help="one of them: make it in a copy and see (default: the list)"
    )
    option("--out", metavar="FILE", help="where to draw it (default runs/mistakes/NAME.png)")
    option = command(
        "explore",
        ".learn.commands.explore",
        "Diffusion to play with, as one HTML page.",
        "--out explore.html",
    )
    option(
        "--data",
        metavar="D",
        help="points in the plane or digits, by name or as a file (default: mixture, moons and digits)",
    )
    option("--out", metavar="FILE", default="explore.html", help="where to write it (default explore.html)")
    return top


def main(argv=None):
    """The command line; returns the exit status: 0, 1 (the answer is no), 2 (not understood), 130 (Ctrl-C)."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy loads: see threads.py
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] in (
        ["check"],
        ["equal"],
    ):  # a formula may begin with a minus, which argparse takes for an option
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
        print(
            f"minidiff {args.command}: {str(e).splitlines()[0] if str(e) else type(e).__name__}",
            file=sys.stderr,
        )
        return 1 if isinstance(e, FloatingPointError) else 2
    except KeyboardInterrupt as e:
        print(f"\nminidiff {args.command}: {str(e) or 'interrupted'}", file=sys.stderr)
        return 130
