"""The commands of this room: mistakes, explore."""

from pathlib import Path

from ..cli.figures import save
from ..cli.files import folder, replacing
from ..cli.printing import done, records, show, wrote
from ..cli.progress import bar


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
    show(f"\nhow one would notice: {m.noticed}\nthe test that sees it: tests/{m.test}", args)
    show(f"who lost a day: {m.met}" if m.met else "", args)
    return done(result, args)


def explore(args):
    """One HTML file to play with diffusion: every choice was computed beforehand, the page needs no network."""
    from .explore import page
    from .playground import plan, play_of

    out, known = Path(args.out), [args.data] if args.data else ["mixture", "moons", "digits"]
    plays = {Path(name).name: play_of(name) for name in known}
    folder(out.parent)
    if out.is_dir():
        raise ValueError(f"out must be a file, {out} is a folder")
    with bar(sum(len([*plan(play)]) for play in plays.values()), "runs", "computing") as progress:
        text = page(plays, progress.update)
    with replacing(out) as beside:
        beside.write_text(text, encoding="utf-8")
    result = {"data": [*plays], "bytes": out.stat().st_size}
    wrote(out, args, result)
    show("open it in a browser; it needs no network", args)
    return done(result, args)
