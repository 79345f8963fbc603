"""What the commands print: text for people, or with --json one object for scripts."""

import json

from ..continuous.sde import bits_per_dim


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


def pictures_text(j):
    """judge_pictures' dict, as one reads it."""
    rows = [[name, v["distance"], v["floor"]] for name, v in j["frechet"].items()]
    lines = [table([f"Frechet distance, n = {j['n']}", "samples", "real against real"], rows)]
    if j["n"] < 2 * j["d"]:
        lines.append(f"(n = {j['n']} is too few for covariances of {j['d']} numbers: these distances say little)")
    if "classifier" in j:
        c = j["classifier"]
        said = f"a classifier ({c['accuracy']:.1%} on held-out real pictures) sees the classes {c['classes']}"
        lines.append(said + (f"; agrees with the label asked for in {c['agreement']:.1%}" if "agreement" in c else ""))
    near = j["to_the_nearest"]
    lines.append(
        f"median distance to the nearest training picture {near['samples']:.3g}; of real ones to another {near['data']:.3g}"
    )
    if "denoising" in j:
        d = j["denoising"]
        lines.append(
            f"denoising x_t at t = {d['t']}: PSNR {d['psnr_of_x_t']:.1f} to {d['psnr']:.1f} dB, "
            f"SSIM {d['ssim_of_x_t']:.2f} to {d['ssim']:.2f}"
        )
    else:
        lines.append("(no PSNR, SSIM and classifier: minidiff has them for grey pictures only)")
    return "\n".join(lines)


def likelihood_text(found, d):
    """What `likelihood` found, as lines, in the data's own units; bits/dim are of minus the logarithm."""

    def line(what, nats, mass=False):
        """A density of the model's units is divided by the volume that one of them has in the data's; a mass stays."""
        nats -= 0.0 if mass else found["log_scale"]
        return [what, nats, bits_per_dim(nats, d)]

    rows = []
    for who in ("network", "exact"):
        if who in found:
            rows.append(line(f"{who}: ELBO (a lower bound)", found[who]["elbo"], mass=bool(found["levels"])))
            rows.append(line(f"{who}: probability-flow ODE, at t = 1", found[who]["ode"]))
    if "truth" in found:
        rows += [line("truth", found["truth"]), line("truth at t = 1", found["truth_at_1"])]
    text = table(["log-likelihood a row", "nats", "bits/dim"], rows)
    if "exact" in found:
        text += f"\nN(0, I) for the exact q(x_T) as the ODE's end would shift it by {found['exact']['wrong_end']:+.2g} nats"
    grey = f"the ELBO is of {found['levels']} grey values, a mass; the ODE's of a density, which may be above 1"
    kind = grey if found["levels"] else "continuous data: densities, so bits may be negative"
    scaled = f", {found['log_scale']:+.4g} nats of scaling taken off" if found["log_scale"] else ""
    return text + f"\n({found['n']} rows, in the data's own units{scaled}; {kind})"
