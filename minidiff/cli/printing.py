"""What the commands print: text for people, or with --json one object for scripts."""

import json


def show(text, args):
    """Prints what a person reads; with --json only the JSON is printed."""
    if not args.json:
        print(text, flush=True)


def wrote(path, args, result):
    """Notes a written file, for the eye and for --json."""
    result.setdefault("files", []).append(str(path))
    show(f"wrote {path}", args)


def done(result, args, status=0):
    """Prints the JSON where it was asked for, and is the exit status."""
    if args.json:
        print(json.dumps(result, indent=2))
    return status


def table(head, rows, left=False):
    """Columns under their heads, all but the first to the right, or all to the left."""
    cells = [head, *[[f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(c.ljust(w) if left or i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip()
        for r in cells
    )


JUDGED = ["sampler", "evaluations", "seconds", "energy distance", "noise floor", "p"]


def judged_row(name, evaluations, seconds, j):
    """One line under JUDGED."""
    return [name, evaluations, f"{seconds:.1f}", j["energy_distance"], j["energy_floor"], j["p_value"]]


def verdict(j):
    """What the permutation test says, at which n, and what it does not see."""
    said = "can be told from data" if j["p_value"] <= 0.05 else "cannot be told from data"
    sees = f"an energy distance above {j['least_seen']:.2g}, not copies of the training rows or a fault in a few samples"
    return f"p = {j['p_value']:.3g}: at n = {j['n']} a side the samples {said}. (The test sees {sees}.)"
