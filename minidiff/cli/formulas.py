"""The commands of the formula sheet: verify, check, equal, compute, show, quiz, sheet."""

import sys
from contextlib import contextmanager
from pathlib import Path

from .files import folder, replacing
from .printing import done, show, table, wrote
from .progress import bar


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
    show(table(HEAD, [as_row(r) for r in rows]), args)
    show(f"\n{counted} in {seconds:.1f} s; " + (f"failed: {', '.join(failed)}" if failed else "all hold"), args)
    show("(the case with the largest error; a statement claims a relation; refuted: its known wrong versions)", args)
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
    from ..sheet.verdict import number

    words = [part for word in args.numbers for part in (word.split("=", 1) if word.startswith("--") else [word])]
    if {"-h", "--help"} & set(words):
        args.help()
        return 0
    args.json |= "--json" in words
    words = [word for word in words if word != "--json"]
    if len(words) % 2 or not all(letter.startswith("--") for letter in words[::2]):
        raise ValueError(f"numbers are given as --LETTER VALUE, such as --beta .1,.2 --t 2, got {' '.join(args.numbers)}")
    numbers = {letter[2:].replace("-", "_"): value for letter, value in zip(words[::2], words[1::2])}
    numbers |= {letter: numbers[letter].split(",") for letter in ("beta", "tau") if letter in numbers}
    computed = work(args.name, **numbers)
    show(str(computed), args)
    return done({"name": args.name, "steps": [{"what": w, "is": number(v)} for w, v in computed.steps]}, args)


def show_entry(args):
    """A formula: symbols, why it is there, wrong versions, how it is measured, the library's code and its test. Or the list."""
    from ..sheet import SHEET, find
    from ..sheet.explain import as_text, curves, explain

    if args.name is None:
        if args.plot:
            raise ValueError("--plot needs the NAME of a formula")
        rows = [{"name": f.name, "lecture": f.lecture, "number": f.number, "title": f.title} for f in SHEET]
        show(table(["formula", "lecture", "item", "says"], [r.values() for r in rows], left=True), args)
        show('\nminidiff show NAME says more; minidiff check NAME "EXPR" judges yours', args)
        return done({"formulas": rows}, args)
    if args.out and not args.out.endswith(".png"):
        raise ValueError(f"--out needs a file that ends in .png, got {args.out}")
    entry = find(args.name)
    result, drawn = explain(entry), curves(entry) if args.plot else None
    show(as_text(result), args)
    if drawn:
        from . import figures

        picture = figures.claimed_and_measured(*drawn, entry.title, entry.latex)
        wrote(figures.save(picture, args.out or f"runs/formulas/{entry.name}.png"), args, result)
    return done(result, args)


def quiz(args):
    """Pen-and-paper questions; the wrong options are real mistakes. In a terminal it asks, --pdf prints, with the key."""
    from ..sheet.quiz import quiz as questions_of

    questions, result = questions_of(args.n, args.seed, args.lecture), {}
    if args.pdf:
        from ..sheet import pages

        with _pdf(args, result) as path:
            pages.quiz(path, questions, f"minidiff quiz, seed {args.seed}")
    elif args.json:
        told = ("name", "lecture", "text", "options", "answer", "slips")
        result = {"questions": [{k: getattr(q, k) for k in told} | {"key": q.key()} for q in questions]}
    elif sys.stdin.isatty():
        judged = []
        for k, q in enumerate(questions, 1):
            if (verdict := _ask(k, q)) is None:
                break
            judged.append(verdict)
        print(f"\n{sum(judged)} of {len(judged)} right; --seed {args.seed + 1} asks others")
    else:
        for k, q in enumerate(questions, 1):
            print(f"\n{k}. {q}")
        print("\nKey", *(f"\n{k}. {q.name}\n   " + "\n   ".join(q.key()) for k, q in enumerate(questions, 1)), sep="\n")
    return done(result, args)


def _ask(k, question):
    """Whether the answer that is typed is right; None for q or the end of input. What cannot be read is asked again."""
    print(f"\n{k}. {question}")
    while True:
        try:
            typed = input("   your answer (q ends): ").strip()
            if typed.lower() == "q":
                return None
            right, slip = question.judge(typed)
        except EOFError:
            return None
        except ValueError as e:
            print(f"   {e}")
            continue
        print("   right" if right else f"   no. {slip}".rstrip(), *question.key(), sep="\n     ")
        return right


@contextmanager
def _pdf(args, result):
    """Yields where to write the file that --pdf names; one that cannot be is refused before any work."""
    path = Path(args.pdf)
    if path.suffix.lower() != ".pdf":
        raise ValueError(f"--pdf needs a file that ends in .pdf, got {path}")
    with replacing(folder(path.parent) / path.name) as beside:
        yield beside
    wrote(path, args, result)


def sheet(args):
    """The formula sheet on paper: four pages for an exam, or --long: each formula with its reason and its measured check."""
    from ..sheet import of_lecture, pages

    rows, result = [], {}
    with _pdf(args, result) as path:
        if args.long:
            rows = _measured([], args)
            pages.booklet(path, rows)
        else:
            pages.sheet(path, of_lecture(args.lecture))
    failed = [r["name"] for r in rows if not r["ok"]]
    if rows:
        show(f"failed: {', '.join(failed)}" if failed else f"all {len(rows)} formulas hold", args)
    return done(result | {"failed": failed}, args, 1 if failed else 0)
