"""The commands of the formula sheet: verify, check, equal, compute, show, quiz, sheet."""

import sys

from ..runs.progress import bar
from .printing import Report, records, table


def _measured(names, args):
    """verify's dict of each formula that was named, or of all of a lecture; with a progress bar."""
    from ..sheet import find, of_lecture
    from ..sheet.verify import verify

    rows, entries = [], [find(name) for name in names] if names else of_lecture(args.lecture)
    with bar(len(entries), "formulas", "measuring") as progress:
        for entry in entries:
            rows.append(verify(entry, args.seed))
            progress.update()
    return rows


def _outcome(rows):
    """The names of the formulas that failed, and the same in words."""
    failed = [r["name"] for r in rows if not r["ok"]]
    return failed, f"failed: {', '.join(failed)}" if failed else "all hold"


def verify(args):
    """Measures the formula sheet: each answer and the library by an oracle, each wrong version refuted."""
    from ..sheet.verify import HEAD, as_row

    rows = _measured(args.names, args)
    failed, said = _outcome(rows)
    items, seconds = len({r["number"] for r in rows}), sum(r["seconds"] for r in rows)
    counted = "1 formula" if len(rows) == 1 else f"{len(rows)} formulas ({items} items of the course)"
    report = Report(args, formulas=rows, failed=failed, seconds=seconds)
    report.say(table(HEAD, map(as_row, rows)))
    report.say(f"\n{counted} in {seconds:.1f} s; {said}")
    report.say(
        "(the case with the largest error; a statement claims a relation; refuted: known wrong versions)"
    )
    return report.done(1 if failed else 0)


def check(args):
    """Is your version of a formula right? Exit 0: right, 1: wrong, 2: not understood."""
    from ..sheet.checking import check as judge

    return _say(judge(args.name, args.expression.strip(), args.notation, args.seed), args)


def equal(args):
    """Are two lines of a derivation equal? Exit 0: equal, 1: not, 2: not understood."""
    from ..sheet.checking import equal as judge

    return _say(judge(args.left, args.right, args.notation, args.seed), args)


def _say(verdict, args):
    if not args.json:
        print(verdict, file=sys.stderr if verdict.exit_status == 2 else sys.stdout)
    return Report(args, **{"status": verdict.status} | verdict.data).done(verdict.exit_status)


def compute(args):
    """A formula with your own numbers, every intermediate value shown, exact where it can be."""
    from ..sheet.computing import compute as work
    from ..sheet.computing import typed
    from ..sheet.verdict import number

    if {"-h", "--help"} & set(args.numbers):
        args.help()
        return 0
    args.json |= "--json" in args.numbers
    computed = work(args.name, **typed([word for word in args.numbers if word != "--json"]))
    steps = [{"what": what, "is": number(value)} for what, value in computed.steps]
    report = Report(args, name=args.name, steps=steps)
    report.say(str(computed))
    return report.done()


def _drawn(entry):
    """The picture of a formula, and the numbers that were chosen for it."""
    from .explain import curves
    from .pictures import claimed_and_measured

    *drawn, chosen = curves(entry)
    return claimed_and_measured(*drawn, entry.title, entry.latex), chosen


def show(name):
    """All about a formula, for a notebook: typeset, worked, drawn. Raises ValueError for an unknown name."""
    from ..sheet import find
    from .explain import Shown

    return Shown(find(name), lambda entry: _drawn(entry)[0])


def show_entry(args):
    """All about a formula, the code that has it and the test of that included; or the list of formulas."""
    from ..sheet import SHEET, find
    from .explain import as_text, explain

    if args.name is None:
        if args.plot:
            raise ValueError("--plot needs the NAME of a formula")
        heads = {"name": "formula", "lecture": "lecture", "number": "item", "title": "says"}
        rows = [{key: getattr(entry, key) for key in heads} for entry in SHEET]
        report = Report(args, formulas=rows)
        report.say(records(heads, rows, left=True))
        report.say('\nminidiff show NAME says more; minidiff check NAME "EXPR" judges yours')
        return report.done()
    if args.out and not args.out.endswith(".png"):
        raise ValueError(f"--out needs a file that ends in .png, got {args.out}")
    entry = find(args.name)
    told, drawn = explain(entry), _drawn(entry) if args.plot else None
    report = Report(args, **told)
    report.say(as_text(told, sys.stdout.encoding or "ascii"))
    if drawn:
        picture, chosen = drawn
        report.found["drawn_with"] = chosen
        report.say(f"\ndrawn with {chosen or 'no other numbers'}")
        report.drew(picture, args.out or f"runs/formulas/{entry.name}.png")
    return report.done()


def quiz(args):
    """Pen-and-paper questions, wrong options are real mistakes: in a terminal it asks, else prints."""
    from ..sheet.quizzing import quiz as questions_of

    questions = questions_of(args.n, args.seed, args.lecture)
    report, again = Report(args, seed=questions.seed), f"--seed {questions.seed} asks these again"
    if args.pdf:
        from . import pages

        with report.pdf(args.pdf) as path:
            pages.quiz(path, questions, f"minidiff quiz, seed {questions.seed}")
    elif args.json:
        told = ("name", "lecture", "text", "options", "answer", "slips")
        report.found["questions"] = [{k: getattr(q, k) for k in told} | {"key": q.key()} for q in questions]
    elif sys.stdin.isatty():
        right, asked = questions.ask()
        print(f"\n{right} of {asked} right; {again}")
    else:
        print(f"{questions}\n\n{again}\n\nKey\n\n{questions.key()}")
    return report.done()


def sheet(args):
    """The formula sheet on paper: four pages for an exam, or --long: each formula, its reason, its check."""
    from ..sheet import of_lecture
    from . import pages

    rows, report = [], Report(args)
    with report.pdf(args.pdf) as path:
        if args.long:
            rows = _measured([], args)
            pages.booklet(path, rows)
        else:
            pages.sheet(path, of_lecture(args.lecture))
    report.found["failed"], said = _outcome(rows)
    if rows:
        report.say(said)
    return report.done(1 if report.found["failed"] else 0)
