"""The commands of this room: mistakes."""

from ..cli.figures import save
from ..cli.printing import done, records, show, wrote


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
    show(f"a public thread about it: {m.met}" if m.met else "", args)
    return done(result, args)
