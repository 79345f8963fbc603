"""The command line: arguments in, exit status out. Nothing is computed here.

What a command needs loads when it is called.
"""

import argparse
import os
import re
import sys
from importlib import import_module

from .. import __version__

# The options of more than one command. An option is its name, what stands for its value, and what it means.
#   N, X       a whole number, a number; other words stand for text, and an option without one is a switch
#   N=1000     its default
#   ? * + ...  may be left out; any number of values; at least one; all the rest, options too. !: is needed
#   {NAMES}    the names in that table of runs/names.py
# One that a command only names is as it stands here; with = behind it, its default is left to the command.
SHARED = """
--json  print one JSON object instead of text
run RUN  the folder of a run, or its checkpoint
name NAME  a formula; minidiff show lists them
--n N=1000  how many samples
--label K,...  of a --conditional run: what to draw, in turn, or none (default: all)
--w X  guidance weight: 0 unconditional, 1 conditional, larger is sharper (default 2)
--sampler NAME  {SAMPLERS} (default ddpm; a run with the objective flow walks its straight path by
    {STRAIGHT}, default euler)
--var NAME  ddpm's variance: {VARIANCES} (default beta-tilde)
--eta X  ddim's share of fresh noise, 0..1 (default 0)
--steps N  steps, 1..T (default: {STEPS})
--spacing NAME=trailing  {SPACINGS}
--schedule NAME=linear  {SCHEDULES}
--T N=1000  number of noising steps
--data-std X=1  standard deviation of the data
--lecture N  only this lecture's
--notation BOOK=ddpm  your letters: ddpm, ddim or prince
--seed N=0  same seed >= 0 and kind of processor: same result
--out FOLDER  where to write (default: the run's folder)
--threads N  cores to use (default: all, at most 8); results do not depend on it
--plain  use the readable code only (slower)
"""

# A command: its name, its function in this room, what it does; an example; its options.
COMMANDS = """
demo commands.demo  Digits from noise: trains, samples, draws, judges.
$ minidiff demo --quick
--quick  small, in about fifteen seconds
--out FOLDER  where to write (default: runs/demo, with --quick runs/demo-quick)
--seed --threads --plain

train commands.train  Trains a denoiser.
$ minidiff train --data moons --steps 4000 --out runs/moons
--data D  {DATA_SETS}, glyphs-SIZE, or a file: .npy, .npz (x, X; label, labels, y), .csv, IDX (MNIST)
--shape+ N  of the picture in a row of numbers: 28 28, or 28 28 3
--label-column NAME  of a .csv: whole numbers that are no data (default: label, if any)
--model NAME  {MODELS} (default mlp; unet is for pictures)
--conditional  tell the unet the data's labels, dropping one in ten
--steps N=4000  train up to this step
--batch N  rows a step (default 256, unet 64)
--lr X  Adam's learning rate (default 0.003, unet 0.002)
--width N  of the hidden layers (default 128); unet: channels at full size (16)
--depth N  residual layers (default 3); unet: how often it halves the picture (2)
--objective NAME  what the network answers: {OBJECTIVES} (default v; eps is the lecture's)
--weight NAME  what its errors count: {WEIGHTS} (default simple)
--times NAME  which t it sees: {TIMES} (default uniform)
--warmup N  steps over which lr rises from 0 (default 0, unet 100)
--resume  continue --out, bit for bit as if never stopped
--out FOLDER  where to write (default: runs/NAME of the data)
--schedule= --T= --seed= --threads --plain

sample commands.sample  Draws numbers and pictures.
$ minidiff sample runs/moons --sampler ddim --steps 20
--n N  how many samples (default 1000)
--rows A:B  only rows A..B-1 of the n (default: B): the same bits as all at once; nothing is computed twice
    at multiples of 4096, of a unet 256
run --label --w --sampler --var --eta --steps --spacing --seed --out --threads --plain
--gif  also draw the way there as a GIF

eval commands.evaluate  How far samples are from data, and data from data.
$ minidiff eval runs/moons --n 500
--n run --label --w --sampler --var --eta --steps --spacing --seed --out --threads --plain
--likelihood  also the ELBO by t and the ODE's likelihood

info commands.info  What is in a checkpoint.
$ minidiff info runs/moons
run

export export.export  A run for another engine: its network as code, its weights.
$ minidiff export runs/moons
run
--to ENGINE=pytorch  which engine
--out FOLDER  where to write (default: pytorch in the run's folder)

bench bench.bench  How fast, and what share of this machine's limit.
$ minidiff bench --threads 1
--repeats N=5  of every measurement
--plot FILE  draw each row against its limit, as a .png
--threads N  cores to use (default: all, at most 8)

doctor theory.doctor  Does a schedule end in noise? Exit 1: not quite.
$ minidiff doctor --schedule linear --T 50
--schedule --T --data-std

oracle theory.oracle  A sampler's bias on Gaussian data, exactly.
$ minidiff oracle --sampler ddim --data-std 0.15
--sampler --var --eta --steps --spacing --schedule --T
--data-mean X=0.2  mean of the Gaussian data
--data-std X=0.15  standard deviation of the data

notation theory.notation  What each paper's letters are here.
$ minidiff notation karras
paper? PAPER  only this one: ho, ddim, prince, karras, vdm, song or flow

verify formulas.verify  Measures the formula sheet, right and wrong versions.
$ minidiff verify --lecture 1
names* NAME  formulas (default: all); minidiff show lists them
--lecture --seed

check formulas.check  Is your formula right? Exit 0: right, 1: wrong, 2: not understood.
$ minidiff check posterior-variance "beta[t]"
name
expression EXPR  your version: as typed, in Unicode or LaTeX (quote it)
--notation --seed

equal formulas.equal  Are two lines equal? Exit 0, 1 or 2 as check.
$ minidiff equal "alpha[t]" "1 - beta[t]"
left EXPR  one line of a derivation
right EXPR  another
--notation --seed

compute formulas.compute  A formula with your numbers.
$ minidiff compute posterior-variance --beta .1,.2,.3 --t 2
name
numbers... --LETTER VALUE  such as --beta .1,.2,.3 --t 2 --x0 1.5

show formulas.show_entry  All about a formula, or the list of them.
$ minidiff show posterior-variance --plot
name? NAME  a formula (default: the list)
--plot  draw it: claimed curve, wrong versions, measured points
--out FILE  where to draw it (default runs/formulas/NAME.png)

quiz formulas.quiz  Pen-and-paper questions; wrong answers are real slips.
$ minidiff quiz --lecture 1
--n N=8  how many questions
--pdf FILE  print it, the key on its own page, instead of asking
--lecture
--seed N  asks the same questions again (default: others each time)

sheet formulas.sheet  The formula sheet on paper, for an exam.
$ minidiff sheet --pdf sheet.pdf
--pdf! FILE  where to write it
--long  a booklet: each formula with its reason and its measured check
--lecture --seed
"""


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line."""

    def read(self, words):
        """The arguments in words; exits with 2, and the nearest name, for an unknown command or option."""
        from ..runs.names import unknown

        name = words[0] if words else "-"
        if name[:1] != "-" and name not in self.commands.choices:
            self.error(str(unknown("command", self.commands.choices, name)))
        args, rest = self.parse_known_args(words)
        if rest:
            p = self.commands.choices[args.command]
            wrong = next((word for word in rest if word[:1] == "-"), rest[0]).split("=")[0]
            p.error(str(unknown("argument", re.findall(r"--[\w-]+", p.format_usage()), wrong)))
        return args

    def error(self, message):
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def option(line):
    """(name, what add_argument takes) of a line as in SHARED."""
    left, _, says = line.partition("  ")
    flag, _, value = left.partition(" ")
    metavar, _, default = value.partition("=")
    name = flag.rstrip("?*+.!")
    mark = flag.removeprefix(name)
    if not metavar:
        return name, {"action": "store_true", "help": says}
    settings = {"metavar": metavar, "type": {"N": int, "X": float}.get(metavar, str), "help": says}
    if default:
        settings |= {"default": default, "help": f"{says} (default {default})"}
    if mark:
        settings |= {"required": True} if mark == "!" else {"nargs": mark}
    return name, settings


def parser(*rooms):
    """All commands and their options; rooms: (package, its commands, written as COMMANDS are) of others."""
    from ..runs import names  # only now: importing the package loads no NumPy

    def filled(text):
        """With its long lines joined, and the names that are known in their places."""
        text = text.strip().replace("\n    ", " ")
        return re.sub("{([A-Z_]+)}", lambda table: ", ".join(vars(names)[table[1]]), text)

    steps = ", ".join(f"{name} {steps or 'T'}" for name, (_, steps) in names.SAMPLERS.items())
    says = "Diffusion models from scratch in NumPy and Numba."
    top = Parser(prog="minidiff", description=says, epilog="start with: minidiff demo", allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"minidiff {__version__}")
    top.commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shared = dict(map(option, filled(SHARED.replace("{STEPS}", steps)).splitlines()))
    for package, commands in ((__package__, COMMANDS), *rooms):
        for block in filled(commands).split("\n\n"):
            add_command(top, package, *block.splitlines(), shared=shared)
    return top


def add_command(top, package, head, example, *lines, shared):
    """Adds to the parser `top` the command that these lines of COMMANDS describe."""
    left, _, says = head.partition("  ")
    name, place = left.split()
    module, f = place.split(".")
    epilog = "example: " + example.removeprefix("$ ")
    p = top.commands.add_parser(name, help=says, description=says, epilog=epilog, allow_abbrev=False)
    p.set_defaults(f=lambda args: vars(import_module(f"{package}.{module}"))[f](args), help=p.print_help)
    for line in ("--json", *lines):
        if "  " in line:
            flag, settings = option(line)
            p.add_argument(flag, **settings)
            continue
        for flag in line.split():
            no_default = {"default": None} if flag.endswith("=") else {}
            p.add_argument(flag.rstrip("="), **shared[flag.rstrip("=")] | no_default)


def main(argv=None, parser=parser):
    """The command line; returns the exit status: 0, 1 (no), 2 (not understood), 130 (Ctrl-C).

    parser() makes the parser: after NumPy has been told its threads.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy loads: see threads.py
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] in (["check"], ["equal"]):  # a formula may begin with a minus, as an option does
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
        said = str(e).splitlines()[0] if str(e) else type(e).__name__
        print(f"minidiff {args.command}: {said}", file=sys.stderr)
        return 1 if isinstance(e, FloatingPointError) else 2
    except KeyboardInterrupt as e:
        print(f"\nminidiff {args.command}: {str(e) or 'interrupted'}", file=sys.stderr)
        return 130
