"""What the commands print: text for people, or with --json one object for scripts."""

import json
from contextlib import contextmanager
from pathlib import Path

from ..continuous.sde import bits_per_dim
from ..runs.files import folder, replacing


class Report:
    """What a command says while it works, for people; and what it found, for --json."""

    def __init__(self, args, **found):
        self.json = args.json
        self.found = found

    def say(self, *lines):
        """Prints what a person reads; with --json only the JSON is printed."""
        if not self.json:
            print(*lines, sep="\n", flush=True)

    def wrote(self, path):
        """Notes a written file."""
        self.found.setdefault("files", []).append(str(path))
        self.say(f"wrote {path}")

    def drew(self, fig, path):
        """Writes a figure, and notes it."""
        from ..runs.figures import save  # only now: most commands need no matplotlib

        self.wrote(save(fig, path))

    @contextmanager
    def pdf(self, path):
        """Yields where to write the file that --pdf names; one that cannot be is refused before any work."""
        path = Path(path)
        if path.suffix.lower() != ".pdf":
            raise ValueError(f"--pdf needs a file that ends in .pdf, got {path}")
        with replacing(folder(path.parent) / path.name) as beside:
            yield beside
        self.wrote(path)

    def done(self, status=0):
        """Prints the JSON where it was asked for, and is the exit status."""
        if self.json:
            print(json.dumps(self.found, indent=2))
        return status


def table(head, rows, left=False):
    """Columns under their heads, all but the first to the right, or all to the left."""
    cells = [[f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in [head, *rows]]
    columns = []
    for k, column in enumerate(zip(*cells)):
        wide = max(map(len, column))
        columns.append([cell.ljust(wide) if left or k == 0 else cell.rjust(wide) for cell in column])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns))


def records(heads, rows, left=False):
    """A table of dicts, the same that --json prints; heads: key -> what stands above its column."""
    return table(heads.values(), [[row.get(key, "") for key in heads] for row in rows], left)


def pictures_text(j):
    """judge_pictures' dict, as one reads it."""
    rows = [[name, v["distance"], v["floor"]] for name, v in j["frechet"].items()]
    lines = [table([f"Frechet distance, n = {j['n']}", "samples", "real against real"], rows)]
    if j["n"] < 2 * j["d"]:
        few = "(n = {n} is too few for covariances of {d} numbers: these distances say little)"
        lines.append(few.format(**j))
    if c := j.get("classifier"):
        said = "a classifier ({accuracy:.1%} on held-out real pictures) sees the classes {classes}"
        said += "; agrees with the label asked for in {agreement:.1%}" * ("agreement" in c)
        lines.append(said.format(**c))
    near = "median distance to the nearest training picture {samples:.3g}; of real ones to another {data:.3g}"
    lines.append(near.format(**j["to_the_nearest"]))
    if d := j.get("denoising"):
        psnr = "denoising x_t at t = {t}: PSNR {psnr_of_x_t:.1f} to {psnr:.1f} dB, "
        lines.append((psnr + "SSIM {ssim_of_x_t:.2f} to {ssim:.2f}").format(**d))
    else:
        lines.append("(no PSNR, SSIM and classifier: minidiff has them for grey pictures only)")
    return "\n".join(lines)


def likelihood_text(found, d):
    """What `likelihood` found, as lines, in the data's own units; bits/dim are of minus the logarithm."""
    grey, per_unit = found["levels"], found["log_scale"]
    rows = []  # what, nats in the model's units, what the data's units add (nothing to a mass)
    for who in ("network", "exact"):
        if who in found:
            rows.append([f"{who}: ELBO (a lower bound)", found[who]["elbo"], 0.0 if grey else per_unit])
            rows.append([f"{who}: probability-flow ODE, at t = 1", found[who]["ode"], per_unit])
    if "truth" in found:
        rows += [["truth", found["truth"], per_unit], ["truth at t = 1", found["truth_at_1"], per_unit]]
    rows = [[what, nats - scaling, bits_per_dim(nats - scaling, d)] for what, nats, scaling in rows]
    text = table(["log-likelihood a row", "nats", "bits/dim"], rows)
    if "exact" in found:
        shift = found["exact"]["wrong_end"]
        text += f"\nN(0, I) for the exact q(x_T) as the ODE's end would shift it by {shift:+.2g} nats"
    kind = "continuous data: densities, so bits may be negative"
    if grey:
        kind = f"the ELBO is of {grey} grey values, a mass; the ODE's of a density, which may be above 1"
    scaled = f", {per_unit:+.4g} nats of scaling taken off" if per_unit else ""
    return text + f"\n({found['n']} rows, in the data's own units{scaled}; {kind})"
