"""What the commands print: text for people, or with --json one object for scripts."""

import json
from contextlib import contextmanager
from pathlib import Path

from ..continuous.sde import bits_per_dim
from ..runs.files import folder, replacing


def show(text, args):
    """Prints what a person reads; with --json only the JSON is printed."""
    if not args.json:
        print(text, flush=True)


def wrote(path, args, result):
    """Notes a written file, for the eye and for --json."""
    result.setdefault("files", []).append(str(path))
    show(f"wrote {path}", args)


@contextmanager
def pdf(args, result):
    """Yields where to write the file that --pdf names; one that cannot be is refused before any work."""
    path = Path(args.pdf)
    if path.suffix.lower() != ".pdf":
        raise ValueError(f"--pdf needs a file that ends in .pdf, got {path}")
    with replacing(folder(path.parent) / path.name) as beside:
        yield beside
    wrote(path, args, result)


def done(result, args, status=0):
    """Prints the JSON where it was asked for, and is the exit status."""
    if args.json:
        print(json.dumps(result, indent=2))
    return status


def table(head, rows, left=False):
    """Columns under their heads, all but the first to the right, or all to the left."""
    cells = [list(head), *[[f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    aligned = [
        [c.ljust(w) if left or i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))]
        for r in cells
    ]
    return "\n".join("  ".join(row).rstrip() for row in aligned)


def records(heads, rows, left=False):
    """A table of dicts, the same that --json prints; heads: key -> what stands above its column."""
    return table(heads.values(), [[row.get(key, "") for key in heads] for row in rows], left)


def pictures_text(j):
    """judge_pictures' dict, as one reads it."""
    rows = [[name, v["distance"], v["floor"]] for name, v in j["frechet"].items()]
    lines = [table([f"Frechet distance, n = {j['n']}", "samples", "real against real"], rows)]
    if j["n"] < 2 * j["d"]:
        lines.append(
            f"(n = {j['n']} is too few for covariances of {j['d']} numbers: these distances say little)"
        )
    if c := j.get("classifier"):
        said = f"a classifier ({c['accuracy']:.1%} on held-out real pictures) sees the classes {c['classes']}"
        lines.append(
            said + (f"; agrees with the label asked for in {c['agreement']:.1%}" if "agreement" in c else "")
        )
    near = "median distance to the nearest training picture {samples:.3g}; of real ones to another {data:.3g}"
    lines.append(near.format(**j["to_the_nearest"]))
    psnr = "denoising x_t at t = {t}: PSNR {psnr_of_x_t:.1f} to {psnr:.1f} dB, SSIM {ssim_of_x_t:.2f} to {ssim:.2f}"
    grey_only = "(no PSNR, SSIM and classifier: minidiff has them for grey pictures only)"
    lines.append(psnr.format(**j["denoising"]) if "denoising" in j else grey_only)
    return "\n".join(lines)


def likelihood_text(found, d):
    """What `likelihood` found, as lines, in the data's own units; bits/dim are of minus the logarithm."""
    grey, per_unit = found["levels"], found["log_scale"]
    rows = []  # what, nats in the model's units, what the data's units add
    for who in [who for who in ("network", "exact") if who in found]:
        rows.append(
            [f"{who}: ELBO (a lower bound)", found[who]["elbo"], 0.0 if grey else per_unit]
        )  # a mass has no units
        rows.append([f"{who}: probability-flow ODE, at t = 1", found[who]["ode"], per_unit])
    if "truth" in found:
        rows += [["truth", found["truth"], per_unit], ["truth at t = 1", found["truth_at_1"], per_unit]]
    rows = [[what, nats - scaling, bits_per_dim(nats - scaling, d)] for what, nats, scaling in rows]
    text = table(["log-likelihood a row", "nats", "bits/dim"], rows)
    if "exact" in found:
        text += f"\nN(0, I) for the exact q(x_T) as the ODE's end would shift it by {found['exact']['wrong_end']:+.2g} nats"
    mass = f"the ELBO is of {grey} grey values, a mass; the ODE's of a density, which may be above 1"
    kind = mass if grey else "continuous data: densities, so bits may be negative"
    scaled = f", {per_unit:+.4g} nats of scaling taken off" if per_unit else ""
    return text + f"\n({found['n']} rows, in the data's own units{scaled}; {kind})"
