"""The commands of this room: study, mistakes, explore."""

import sys
import time
from pathlib import Path

from ..cli.printing import done, pdf, records, show, wrote
from ..runs.figures import save
from ..runs.files import folder, replacing
from ..runs.progress import bar


def mistakes(args):
    """A museum of one-line mistakes: what each does, how one would notice, who made it, and the test that sees it."""
    from .ideas import side_by_side
    from .mistakes import MISTAKES, find, outcomes

    if args.name is None:
        rows = [m._asdict() for m in MISTAKES]
        show(records({"name": "mistake", "what": "what", "file": "file"}, rows, left=True), args)
        show("\nminidiff mistakes NAME makes it, in a copy, and shows what comes of it", args)
        return done({"mistakes": rows}, args)
    m = find(args.name)
    right, wrong = outcomes(m)
    result = m._asdict()
    show(f"{m.what}, in minidiff/{m.file}.py\n\n  right  {m.right}\n  wrong  {m.wrong}\n", args)
    if "rows" in right:
        drawn = side_by_side(right["rows"], wrong["rows"], m.what, m.wrong)
        wrote(save(drawn, args.out or f"runs/mistakes/{m.name}.png"), args, result)
    else:
        rows = [{"what": k, "right": float(right[k]), "wrong": float(wrong[k])} for k in right]
        result["numbers"] = rows
        show(records({"what": "", "right": "right", "wrong": "wrong"}, rows), args)
    thread = f"\na public thread about it: {m.met}" if m.met else ""
    show(f"\nhow one would notice: {m.noticed}\nthe test that sees it: tests/{m.test}{thread}", args)
    return done(result, args)


def study(args):
    """Two evenings: idea, formula, example by hand, questions; what was wrong comes back. --exam MINUTES: a mock exam."""
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
        show(records({k: k for k in rows[0]}, rows, left=True), args)
        show(
            f"\n{sum(r['done'] for r in rows)} of {len(rows)} done, {len(kept.wrong)} questions to come back",
            args,
        )
        return done({"ideas": rows, "wrong": len(kept.wrong)}, args)
    if kept.wrong:
        print(f"{len(kept.wrong)} that you answered wrong, once more (q ends, nothing is lost)")
    whole = again(kept) and go_on(kept, seed)
    print("\nAll ideas are done: minidiff study --exam 90" if whole else "\nminidiff study goes on from here")
    return 0


def _exam(questions, args, seed, kept):
    """Prints an exam, asks it in a terminal, or writes it as a PDF; always with key and marks, and the seed that repeats it."""
    from .study import sit

    title, total = f"Mock exam, {args.exam} minutes, seed {seed}", sum(worth for worth, _, _ in questions)
    result = {
        "minutes": args.exam,
        "seed": seed,
        "marks": total,
        "questions": [q.text for _, q, _ in questions],
    }
    if args.pdf:
        from ..cli import pages

        with pdf(args, result) as path:
            pages.quiz(path, [q for _, q, _ in questions], f"{title}, {total} marks")
        return done(result, args)
    show(f"{title}, {total} marks. Pen and paper.", args)
    if sys.stdin.isatty() and not args.json:
        marks = sit(questions, args.exam, kept)
        result["got"] = sum(marks)
        by = {k: [(m, w) for m, (w, q, _) in zip(marks, questions) if q.lecture == k] for k in range(1, 9)}
        show(
            "\n".join(
                f"lecture {k}: {sum(m for m, _ in v)} of {sum(w for _, w in v)}" for k, v in by.items() if v
            ),
            args,
        )
        show(
            f"{result['got']} of {total} marks, {result['got'] / total:.0%}; minidiff study asks the wrong ones again",
            args,
        )
    else:
        show("\n" + "\n\n".join(f"{k}. {q}" for k, (_, q, _) in enumerate(questions, 1)), args)
    show(
        "\nKey\n" + "\n".join(f"\n{k}. " + "\n   ".join(q.key()) for k, (_, q, _) in enumerate(questions, 1)),
        args,
    )
    return done(result, args)


def explore(args):
    """One HTML file to play with diffusion: every choice was computed beforehand, the page needs no network."""
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
    wrote(out, args, result := {"data": [*plays], "bytes": out.stat().st_size})
    show("open it in a browser; it needs no network", args)
    return done(result, args)
