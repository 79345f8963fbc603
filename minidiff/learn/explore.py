"""The page to play with: one HTML file with every number it shows; its script, explore.js, only draws."""

import base64
import json
import zlib
from html import escape
from pathlib import Path

import numpy as np

from ..continuous import flow
from .samplers import SCHEDULES, STEPS, computed, shown


def densities(play):
    """{clock and t: log q(x_t) on a grid, from the upper left}; none where a grid would miss the data."""
    found, line = {}, np.linspace(-3.6, 3.6, 40 if len(play.data) else 64)
    grid = np.stack(np.meshgrid(line, -line), axis=-1).reshape(-1, 2)
    for name, s in {"flow": None, **SCHEDULES}.items() if play.density else ():
        for t in shown(s.T if s else 1000, 100):
            process = s or flow.Straight()
            _, noise = process.signal_and_noise(t)
            if noise > line[1] - line[0] or not len(play.data):
                found[f"{name} {t}"] = play.density.log_prob(process, grid, t)
    return found


def packed(play, tick=lambda: None):
    """One data set as text, for explore.js: base64 of zlib of [length of a JSON, it, runs, densities]."""
    (runs, known), shades = computed(play, tick), densities(play)
    parts = 128 if play.density else 32  # a coordinate is kept in 1/128, a pixel in 1/32
    whole = {key: np.round(run * parts).clip(-32768, 32767).astype("<i2") for key, run in runs.items()}
    for key, at in zip(whole, np.cumsum([0, *(w.size for w in whole.values())]).tolist()):
        known[key] |= {"at": at, "frames": whole[key].shape[1]}
    # differences from frame to frame, all low bytes before all high bytes: both shrink well
    steps = np.concatenate([np.diff(w, axis=1, prepend=np.int16(0)).ravel() for w in whole.values()])
    info = {
        "row": play.x_0.size,
        "parts": parts,
        "size": steps.size,
        "runs": known,
        "densities": list(shades),
    }
    info["data"] = np.round(play.data * parts).astype(int).ravel().tolist() if play.density else None
    head = json.dumps(info, separators=(",", ":")).encode()
    body = [len(head).to_bytes(4, "little"), head, steps.view(np.uint8).reshape(-1, 2).T.tobytes()]
    body += [np.uint8(np.round(255 * np.exp(p - p.max()))).tobytes() for p in shades.values()]
    return base64.b64encode(zlib.compress(b"".join(body), 9)).decode()


def page(plays, tick=lambda: None):
    """The HTML file for {name: Play}: explore.html with its script and the numbers in it."""
    common = {
        "flow": {
            "signal": np.linspace(1, 0, 101).round(4).tolist(),
            "noise": np.linspace(0, 1, 101).round(4).tolist(),
        }
    }
    for name, s in SCHEDULES.items():
        shares = np.sqrt([s.alpha_bar, 1 - s.alpha_bar])[:, :: s.T // 100].round(4).tolist()
        common[name] = {
            "T": s.T,
            "shown": {n: shown(s.T, n) for n in STEPS},
            "signal": shares[0],
            "noise": shares[1],
        }
    html, js = (
        Path(__file__).with_name(f"explore.{kind}").read_text(encoding="utf-8") for kind in ("html", "js")
    )
    held = [f'<script type="application/json" id="common">{json.dumps(common)}</script>']
    held += [
        f'<script type="text/plain" data-name="{escape(n)}">{packed(play, tick)}</script>'
        for n, play in plays.items()
    ]
    return html.replace("/*script*/", js).replace("<!--numbers-->", "\n".join(held))
