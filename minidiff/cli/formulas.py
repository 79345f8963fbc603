"""The commands of the formula sheet: verify, check, equal, compute, show, quiz, sheet."""

import sys

from .printing import done, show, table, wrote
from .progress import bar


def _entries(args):
    """The entries that were named, or all of a lecture, or all."""
    from ..sheet import SHEET, find

    names = getattr(args, "names", None)
    chosen = [find(name) for name in names] if names else [f for f in SHEET if args.lecture in (None, f.lecture)]
    if not chosen:
        lectures = ", ".join(str(n) for n in sorted({f.lecture for f in SHEET}))
        raise ValueError(f"lecture must be one of {lectures}, got {args.lecture}")
    return chosen


def _measured(entries, seed):
    """{name: verify's dict}, with a progress bar."""
    from ..sheet.verify import verify as measure

    rows = {}
    with bar(len(entries), "formulas", "measuring") as progress:
        for f in entries:
            rows[f.name] = measure(f, seed)
            progress.update()
    return rows


def verify(args):
    """Measures the formula sheet: each answer and the library against an oracle, each wrong version refuted."""
    rows = list(_measured(_entries(args), args.seed).values())
    lines = []
    for r in rows:
        refuted = f"{sum(w['ok'] for w in r['wrong'])}/{len(r['wrong'])}"
        numbers = [f"{r[k]:.6g}" for k in ("claimed", "measured")] + [f"{r[k]:.1e}" for k in ("error", "bound")]
        if r["what"] != "answer" and r["what"] != "library":  # a statement: = 0, >= 0, > 0, != 0
            numbers[0], numbers[2] = f"{r['what']} 0", "-"
        lines.append([r["name"], *numbers, f"{r['seconds']:.2f}", refuted, "ok" if r["ok"] else "FAILED"])
    show(table(["formula", "claimed", "measured", "error", "bound", "seconds", "refuted", ""], lines), args)
    failed = [r["name"] for r in rows if not r["ok"]]
    items, seconds = len({r["number"] for r in rows}), sum(r["seconds"] for r in rows)
    verdict = f"failed: {', '.join(failed)}" if failed else "all hold"
    counted = "1 formula" if len(rows) == 1 else f"{len(rows)} formulas ({items} items of the course)"
    show(f"\n{counted} in {seconds:.1f} s; {verdict}", args)
    show("(the case with the largest error; a statement claims a relation; refuted: its known wrong versions)", args)
    return done({"formulas": rows, "failed": failed, "seconds": seconds}, args, 1 if failed else 0)


def check(args):
    """Is your version of a formula right? Exit 0: right, 1: wrong, 2: not understood."""
    from ..sheet.check import check as judge

    if not args.expression.strip():
        raise ValueError("the formula is empty")
    return _say(judge(args.name, args.expression.strip(), args.notation, args.seed), args)


def equal(args):
    """Are two lines of a derivation equal? Exit 0: equal, 1: not, 2: not understood."""
    from ..sheet.check import equal as judge

    return _say(judge(args.left, args.right, args.notation, args.seed), args)


def _say(verdict, args):
    if verdict.exit_status == 2 and not args.json:
        print(verdict, file=sys.stderr)
    else:
        show(str(verdict), args)
    return done({"status": verdict.status} | verdict.data, args, verdict.exit_status)


def compute(args):
    """A formula with your own numbers, every intermediate value shown, exact where it can be."""
    from ..sheet.compute import compute as work
    from ..sheet.verdict import number

    words, numbers = [w for word in args.numbers for w in (word.split("=", 1) if word.startswith("--") else [word])], {}
    if {"-h", "--help"} & set(words):
        args.help()
        return 0
    if "--json" in words:
        words.remove("--json")
        args.json = True
    if len(words) % 2 or not all(k.startswith("--") for k in words[::2]):
        raise ValueError(f"numbers are given as --LETTER VALUE, such as --beta .1,.2 --t 2, got {' '.join(args.numbers)}")
    for letter, value in zip(words[::2], words[1::2]):
        listed = value.split(",") if letter in ("--beta", "--tau") else value
        if isinstance(listed, list) and not all(v.strip() for v in listed):
            raise ValueError(f"a number is missing between commas, got {letter} {value}")
        numbers[letter[2:].replace("-", "_")] = listed
    computed = work(args.name, **numbers)
    show(str(computed), args)
    return done({"name": args.name, "steps": [{"what": w, "is": number(v)} for w, v in computed.steps]}, args)


def show_entry(args):
    """A formula: its symbols, why it is there, its wrong versions, where it is used and how it is measured. Or the list."""
    from ..sheet import SHEET, find
    from ..sheet.explain import as_text, curves, explain

    if args.name is None:
        if args.plot:
            raise ValueError("--plot needs the NAME of a formula")
        rows = [[f.name, f.lecture, f.number, f.title] for f in SHEET]
        show(table(["formula", "lecture", "item", "says"], rows, left=True), args)
        show('\nminidiff show NAME says more; minidiff check NAME "EXPR" judges yours', args)
        return done({"formulas": [dict(zip(("name", "lecture", "number", "title"), r)) for r in rows]}, args)
    if args.out and not args.out.endswith(".png"):
        raise ValueError(f"--out needs a file that ends in .png, got {args.out}")
    entry = find(args.name)
    result, drawn = explain(entry), curves(entry) if args.plot else None
    show(as_text(result), args)
    if drawn:
        from . import figures

        picture = figures.claimed_and_measured(*drawn, entry.title, entry.latex)
        show("", args)
        wrote(figures.save(picture, args.out or f"runs/formulas/{entry.name}.png"), args, result)
    return done(result, args)


def quiz(args):
    """Pen-and-paper questions with numbers; distractors are real slips. In a terminal it asks, --pdf prints, with the key."""
    from ..sheet.quiz import quiz as questions_of
    from ..sheet.verdict import number

    questions, result = questions_of(args.n, args.seed, args.lecture), {}
    if args.pdf:
        from . import pages

        wrote(pages.quiz(_pdf(args.pdf), questions, f"minidiff quiz, seed {args.seed}"), args, result)
        return done(result, args)
    if args.json:
        result["questions"] = [
            {"name": q.name, "lecture": q.lecture, "text": q.text, "options": q.options, "answer": q.answer, "slips": q.slips,
             "key": q.key()} for q in questions
        ]  # fmt: skip
        return done(result, args)
    ask, right, asked = sys.stdin.isatty(), 0, 0
    for k, q in enumerate(questions, 1):
        print(f"\n{k}. {q.text}")
        if q.options:
            print("   " + "    ".join(f"({letter}) {number(v)}" for letter, v in q.options.items()))
        if ask:
            answered = _answered(q)
            if answered is None:
                break
            asked, right = asked + 1, right + answered[0]
            print("   right" if answered[0] else f"   no. {answered[1]}".rstrip())
            print("\n".join(f"     {line}" for line in q.key()))
    if ask:
        print(f"\n{right} of {asked} right; --seed {args.seed + 1} asks others")
    else:
        print("\nKey")
        for k, q in enumerate(questions, 1):
            print(f"\n{k}. {q.name}\n" + "\n".join(f"   {line}" for line in q.key()))
    return 0


def _answered(question):
    """(right?, why not) of what is typed; None at the end of input. What cannot be read is asked again."""
    while True:
        try:
            return question.judge(input("   your answer (q ends): "))
        except EOFError:
            return None
        except ValueError as e:
            if "'q'" in str(e):
                return None
            print(f"   {e}")


def _pdf(path):
    """The path of a PDF, its folder made. Raises ValueError for another ending."""
    from pathlib import Path

    from .files import folder

    if Path(path).suffix.lower() != ".pdf":
        raise ValueError(f"--pdf needs a file that ends in .pdf, got {path}")
    folder(Path(path).parent)
    return Path(path)


def sheet(args):
    """The printed formula sheet: A4, every formula with its measured check."""
    from . import pages

    path, entries = _pdf(args.pdf), _entries(args)
    rows, result = _measured(entries, args.seed), {}
    wrote(pages.sheet(path, rows, entries), args, result)
    failed = [name for name, r in rows.items() if not r["ok"]]
    show(f"failed: {', '.join(failed)}" if failed else f"all {len(entries)} formulas hold", args)
    return done(result | {"failed": failed}, args, 1 if failed else 0)
