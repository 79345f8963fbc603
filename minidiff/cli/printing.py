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
    aligned = [[c.ljust(w) if left or i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))] for r in cells]
    return "\n".join("  ".join(row).rstrip() for row in aligned)
