"""The commands of this room: study, mistakes, explore."""

import sys
import time
from pathlib import Path

from ..cli.printing import Report, records
from ..runs.files import folder, replacing
from ..runs.progress import bar


def mistakes(args):
    """A museum of one-line mistakes: what each does, how one would notice, and the test that sees it."""
    from .ideas import side_by_side
    from .mistakes import MISTAKES, find, outcomes

    if args.name is None:
        rows = [m._asdict() for m in MISTAKES]
        report = Report(args, mistakes=rows)
        report.say(records({"name": "mistake", "what": "what", "file": "file"}, rows, left=True))
        report.say("\nminidiff mistakes NAME makes it, in a copy, and shows what comes of it")
        return report.done()
    m = find(args.name)
    right, wrong = outcomes(m)
    report = Report(args, **m._asdict())
    report.say(f"{m.what}, in minidiff/{m.file}.py\n\n  right  {m.right}\n  wrong  {m.wrong}\n")
    if "rows" in right:
        drawn = side_by_side(right["rows"], wrong["rows"], m.what, m.wrong)
        report.drew(drawn, args.out or f"runs/mistakes/{m.name}.png")
    else:
        rows = [{"what": k, "right": float(right[k]), "wrong": float(wrong[k])} for k in right]
        report.found["numbers"] = rows
        report.say(records({"what": "", "right": "right", "wrong": "wrong"}, rows))
    thread = f"\na public thread about it: {m.met}" if m.met else ""
    report.say(f"\nhow one would notice: {m.noticed}\nthe test that sees it: tests/{m.test}{thread}")
    return report.done()


def study(args):
    """Two evenings: idea, formula, example, questions; what was wrong comes back. --exam: a mock exam."""
    from .study import IDEAS, Kept, again, exam, go_on

    kept = Kept() if args.forget else Kept.load()
    if args.forget:
        kept.save()
    seed = time.time_ns() % 10**6 if args.seed is None else args.seed
    if args.exam is not None:
        return _exam(exam(args.exam, seed), args, seed, kept)
    rows = [
        {k: i[k] for k in ("evening", "lecture", "title", "look")} | {"done": i["title"] in kept.done}
        for i in IDEAS
    ]
    if args.json or not sys.stdin.isatty():
        report = Report(args, ideas=rows, wrong=len(kept.wrong))
        report.say(records({k: k for k in rows[0]}, rows, left=True))
        done = sum(row["done"] for row in rows)
        report.say(f"\n{done} of {len(rows)} done, {len(kept.wrong)} questions to come back")
        return report.done()
    if kept.wrong:
        print(f"{len(kept.wrong)} that you answered wrong, once more (q ends, nothing is lost)")
    whole = again(kept) and go_on(kept, seed)
    print("\nAll ideas are done: minidiff study --exam 90" if whole else "\nminidiff study goes on from here")
    return 0


def _exam(questions, args, seed, kept):
    """Prints an exam, asks it in a terminal, or writes it as a PDF; with key, marks and its seed."""
    from .study import sit

    title, total = f"Mock exam, {args.exam} minutes, seed {seed}", sum(worth for worth, _, _ in questions)
    asked = [q.text for _, q, _ in questions]
    report = Report(args, minutes=args.exam, seed=seed, marks=total, questions=asked)
    if args.pdf:
        from ..cli import pages

        with report.pdf(args.pdf) as path:
            pages.quiz(path, [q for _, q, _ in questions], f"{title}, {total} marks")
        return report.done()
    report.say(f"{title}, {total} marks. Pen and paper.")
    if sys.stdin.isatty() and not args.json:
        marks = sit(questions, args.exam, kept)
        got = report.found["got"] = sum(marks)
        for lecture in range(1, 9):
            of = [(m, worth) for m, (worth, q, _) in zip(marks, questions) if q.lecture == lecture]
            if of:
                report.say(f"lecture {lecture}: {sum(m for m, _ in of)} of {sum(worth for _, worth in of)}")
        report.say(f"{got} of {total} marks, {got / total:.0%}; minidiff study asks the wrong ones again")
    else:
        report.say("\n" + "\n\n".join(f"{k}. {q}" for k, (_, q, _) in enumerate(questions, 1)))
    keys = (f"\n{k}. " + "\n   ".join(q.key()) for k, (_, q, _) in enumerate(questions, 1))
    report.say("\nKey\n" + "\n".join(keys))
    return report.done()


def explore(args):
    """One HTML file to play with diffusion: every choice was computed before, it needs no network."""
    from .explore import page
    from .samplers import plan, play_of

    out = Path(args.out)
    plays = {
        Path(name).name: play_of(name)
        for name in ([args.data] if args.data else ["mixture", "moons", "digits"])
    }
    if folder(out.parent) and out.is_dir():
        raise ValueError(f"out must be a file, {out} is a folder")
    with bar(sum(len([*plan(play)]) for play in plays.values()), "runs", "computing") as progress:
        text = page(plays, progress.update)
    with replacing(out) as beside:
        beside.write_text(text, encoding="utf-8")
    report = Report(args, data=[*plays], bytes=out.stat().st_size)
    report.wrote(out)
    report.say("open it in a browser; it needs no network")
    return report.done()
