"""Draws every mistake of the museum beside what is right, and writes README.md, their list.

python examples/mistakes/draw.py            pictures into runs/mistakes/, and README.md beside this file
"""

from pathlib import Path

from minidiff.learn.ideas import side_by_side
from minidiff.learn.mistakes import MISTAKES, outcomes
from minidiff.runs.figures import save

HEAD = """# A museum of mistakes

Real one-line mistakes. Each is planted in a copy of minidiff, and an experiment of a second or two runs in
both; where a sampler needs a network, the perfect denoiser stands in, so that what you see is the mistake's
doing alone. `minidiff mistakes NAME` makes one and draws it; `python examples/mistakes/draw.py` makes them
all and writes this list. `python tests/mutate.py --named` sees that each is noticed by its test.

| mistake | the line | what comes of it (right, wrong) | how one would notice | test | a thread about it |
|---|---|---|---|---|---|
"""


def row(m, right, wrong):
    """The mistake as a line of the table."""
    if "rows" in right:
        seen = " and ".join(f"std {x['rows'].std(axis=0).mean():.2g}" for x in (right, wrong))
    else:
        seen = "; ".join(f"{k}: {float(right[k]):.3g}, {float(wrong[k]):.3g}" for k in right)
    met = "[{}](https://github.com/{}/issues/{})".format(m.met, *m.met.split("#")) if m.met else ""
    line = f"`{m.right}` becomes `{m.wrong}` in {m.file}.py"
    cells = f"`{m.name}`", line, seen, m.noticed, f"`{m.test}`", met
    return "| " + " | ".join(cells) + " |\n"


def main(out="runs/mistakes"):
    """Draws what can be drawn into the folder; returns the list as Markdown."""
    text = HEAD
    for m in MISTAKES:
        right, wrong = outcomes(m)
        if "rows" in right:
            save(side_by_side(right["rows"], wrong["rows"], m.what, m.wrong), f"{out}/{m.name}.png")
        text += row(m, right, wrong)
    return text


if __name__ == "__main__":
    Path(__file__).with_name("README.md").write_text(main(), encoding="utf-8")
