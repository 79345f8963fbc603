"""The commands of the formula sheet: verify, check, equal, compute, show, quiz, sheet."""

import sys

from ..runs.progress import bar
from . import printing
from .printing import done, pdf, table, wrote


def _measured(names, args):
    """verify's dict of each formula that was named, or of all of a lecture, or of all; with a progress bar."""
    from ..sheet import find, of_lecture
    from ..sheet.verify import verify

    rows, entries = [], [find(name) for name in names] if names else of_lecture(args.lecture)
    with bar(len(entries), "formulas", "measuring") as progress:
        for entry in entries:
            rows.append(verify(entry, args.seed))
            progress.update()
    return rows


def verify(args):
    """Measures the formula sheet: each answer and the library against an oracle, each wrong version refuted."""
    from ..sheet.verify import HEAD, as_row

    rows = _measured(args.names, args)
    failed = [r["name"] for r in rows if not r["ok"]]
    items, seconds = len({r["number"] for r in rows}), sum(r["seconds"] for r in rows)
    counted = "1 formula" if len(rows) == 1 else f"{len(rows)} formulas ({items} items of the course)"
    printing.show(table(HEAD, [as_row(r) for r in rows]), args)
    printing.show(
        f"\n{counted} in {seconds:.1f} s; " + (f"failed: {', '.join(failed)}" if failed else "all hold"), args
    )
    printing.show(
        "(the case with the largest error; a statement claims a relation; refuted: its known wrong versions)",
        args,
    )
    return done({"formulas": rows, "failed": failed, "seconds": seconds}, args, 1 if failed else 0)


def check(args):
    """Is your version of a formula right? Exit 0: right, 1: wrong, 2: not understood."""
    from ..sheet.check import check as judge

    return _say(judge(args.name, args.expression.strip(), args.notation, args.seed), args)


def equal(args):
    """Are two lines of a derivation equal? Exit 0: equal, 1: not, 2: not understood."""
    from ..sheet.check import equal as judge

    return _say(judge(args.left, args.right, args.notation, args.seed), args)


def _say(verdict, args):
    if not args.json:
        print(verdict, file=sys.stderr if verdict.exit_status == 2 else sys.stdout)
    return done({"status": verdict.status} | verdict.data, args, verdict.exit_status)


def compute(args):
    """A formula with your own numbers, every intermediate value shown, exact where it can be."""
    from ..sheet.compute import compute as work
    from ..sheet.compute import typed
    from ..sheet.verdict import number

    if {"-h", "--help"} & set(args.numbers):
        args.help()
        return 0
    args.json |= "--json" in args.numbers
    computed = work(args.name, **typed([word for word in args.numbers if word != "--json"]))
    printing.show(str(computed), args)
    return done({"name": args.name, "steps": [{"what": w, "is": number(v)} for w, v in computed.steps]}, args)


def _drawn(entry):
    """The picture of a formula, and the numbers that were chosen for it."""
    from .explain import curves
    from .pictures import claimed_and_measured

    *drawn, chosen = curves(entry)
    return claimed_and_measured(*drawn, entry.title, entry.latex), chosen


def show(name):
    """All about a formula, for a notebook: typeset, worked and drawn. Raises ValueError for an unknown name."""
    from ..sheet import find
    from .explain import Shown

    return Shown(find(name), lambda entry: _drawn(entry)[0])


def show_entry(args):
    """A formula: symbols, why, numbers, wrong versions, how it is measured, code, test, what comes next. Or the list."""
    from ..sheet import SHEET, find
    from .explain import as_text, explain

    if args.name is None:
        if args.plot:
            raise ValueError("--plot needs the NAME of a formula")
        rows = [{"name": f.name, "lecture": f.lecture, "number": f.number, "title": f.title} for f in SHEET]
        printing.show(
            table(["formula", "lecture", "item", "says"], [r.values() for r in rows], left=True), args
        )
        printing.show('\nminidiff show NAME says more; minidiff check NAME "EXPR" judges yours', args)
        return done({"formulas": rows}, args)
    if args.out and not args.out.endswith(".png"):
        raise ValueError(f"--out needs a file that ends in .png, got {args.out}")
    entry = find(args.name)
    result, drawn = explain(entry), _drawn(entry) if args.plot else None
    printing.show(as_text(result, sys.stdout.encoding or "ascii"), args)
    if drawn:
        from ..runs import figures

        picture, result["drawn_with"] = drawn
        printing.show(f"\ndrawn with {result['drawn_with'] or 'no other numbers'}", args)
        wrote(figures.save(picture, args.out or f"runs/formulas/{entry.name}.png"), args, result)
    return done(result, args)


def quiz(args):
    """Pen-and-paper questions; the wrong options are real mistakes. In a terminal it asks, --pdf prints, with the key."""
    from ..sheet.quiz import quiz as questions_of

    questions = questions_of(args.n, args.seed, args.lecture)
    result, again = {"seed": questions.seed}, f"--seed {questions.seed} asks these again"
    if args.pdf:
        from . import pages

        with pdf(args, result) as path:
            pages.quiz(path, questions, f"minidiff quiz, seed {questions.seed}")
    elif args.json:
        told = ("name", "lecture", "text", "options", "answer", "slips")
        result["questions"] = [{k: getattr(q, k) for k in told} | {"key": q.key()} for q in questions]
    elif sys.stdin.isatty():
        right, asked = questions.ask()
        print(f"\n{right} of {asked} right; {again}")
    else:
        print(f"{questions}\n\n{again}\n\nKey\n\n{questions.key()}")
    return done(result, args)


def sheet(args):
    """The formula sheet on paper: four pages for an exam, or --long: each formula with its reason and its measured check."""
    from ..sheet import of_lecture
    from . import pages

    rows, result = [], {}
    with pdf(args, result) as path:
        if args.long:
            rows = _measured([], args)
            pages.booklet(path, rows)
        else:
            pages.sheet(path, of_lecture(args.lecture))
    failed = [r["name"] for r in rows if not r["ok"]]
    if rows:
        printing.show(f"failed: {', '.join(failed)}" if failed else f"all {len(rows)} formulas hold", args)
    return done(result | {"failed": failed}, args, 1 if failed else 0)
