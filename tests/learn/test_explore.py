"""The page to play with: whole, offline, small, and its numbers are minidiff's."""

import base64
import json
import re
import zlib
from pathlib import Path

import command_line
import numpy as np
import pytest

from minidiff import schedule
from minidiff.continuous import flow
from minidiff.ddpm import sample
from minidiff.exact import five_gaussians
from minidiff.learn import explore, samplers
from minidiff.noise import SAMPLE, stream
from minidiff.sampling import ddim_step, trailing

LEARN = Path(explore.__file__).parent
KEPT = 1 / 256  # half of the 1/128 in which coordinates are kept


@pytest.fixture(scope="module")
def page():
    return explore.page({"mixture": samplers.play_of("mixture")})


@pytest.fixture(scope="module")
def held(page):
    """What explore.js unpacks, unpacked anew: {key: run (2, F, P, 2)}, the JSON, the densities' bytes."""
    return unpacked(page, "mixture")


def unpacked(page, name):
    body = zlib.decompress(base64.b64decode(re.search(f'data-name="{re.escape(name)}">([^<]*)<', page)[1]))
    n = 4 + int.from_bytes(body[:4], "little")
    info = json.loads(body[4:n])
    low, high = np.frombuffer(body, np.uint8, 2 * info["size"], n).astype(int).reshape(2, -1)
    steps, runs = (low + 256 * high + 2**15) % 2**16 - 2**15, {}
    for key, about in info["runs"].items():
        shape = (2, about["frames"], info["row"])
        run = steps[about["at"] :][: np.prod(shape)].reshape(shape).cumsum(axis=1)
        runs[key] = ((run + 2**15) % 2**16 - 2**15).reshape(*shape[:2], -1, 2) / info["parts"]
    return runs, info, body[n + 2 * info["size"] :]


def test_the_page_is_one_small_file_that_asks_for_nothing(page):
    """The default page holds three data sets, 3 x 1.66 MB < 5 MB; CI measures the real one (.ci/explore)."""
    assert len(page.encode()) < 5e6 / 3
    assert not re.search(
        r"https?:|src\s*=|import\s*\(|@import|url\(|fetch\(|XMLHttpRequest|<link",
        re.sub(r">[A-Za-z0-9+/=]{999,}<", "><", page),
    )
    assert "default-src 'none'" in page and "<!--numbers-->" not in page and "/*script*/" not in page
    assert len((LEARN / "explore.js").read_text(encoding="utf-8").splitlines()) <= 250


def test_every_control_has_a_label_and_every_picture_a_role(page):
    controls = re.findall(r'<(?:select|input)[^>]*\bid="(\w+)"', page)
    assert len(controls) >= 9 and set(controls) <= set(re.findall(r'<label[^>]*\bfor="(\w+)"', page))
    canvases = re.findall(r"<canvas[^>]*>", page)
    assert canvases and all('role="img"' in c for c in canvases) and 'aria-live="polite"' in page


def test_every_choice_of_the_page_was_computed(page, held):
    """Of eta, w and error each option has its runs; of schedule and steps each pair of options has."""
    options = {name: re.findall(r'<option(?: value="([^"]*)")?[^>]*>([^<]*)', body) for name, body in
               re.findall(r'<select id="(\w+)">(.*?)</select>', page, re.S)}  # fmt: skip
    values = {
        name: {v or (text if text.replace(".", "").isdigit() else "") for v, text in found} - {""}
        for name, found in options.items()
    }
    runs = set(held[0])
    assert {
        f"{s} {which} {n} "
        for s in values["schedule"]
        for n in values["steps"]
        for which in ("ddpm", "ddim", "ode")
    } <= runs
    assert {f"linear ddim {n} eta={eta}" for n in values["steps"] for eta in values["eta"]} <= runs
    assert {f"linear {which} 20 w={w}" for w in values["w"] for which in samplers.SAMPLERS} <= runs
    assert {f"linear ddpm 20 error={e}" for e in values["error"]} <= runs and len(values["error"]) == 6


def test_the_end_of_ddim_is_minidiffs(held):
    x_T, noising = stream(0, SAMPLE).standard_normal((200, 2)), schedule.cosine(1000)
    denoiser = five_gaussians().eps_theta(noising)
    *_, x_0 = sample(ddim_step(), denoiser, noising, x_T, trailing(1000, 10), stream(1, SAMPLE))
    # rounded to 1/128: off by at most 1/256. continuous(schedule) and the Schedule
    # itself differ by rounding, 1e-9
    assert np.abs(held[0]["cosine ddim 10 "][0, -1] - x_0).max() <= KEPT + 1e-9


@pytest.mark.parametrize("sampler", ["ode", "flow"])
def test_x_0_hat_is_the_exact_mean(held, sampler):
    """Mixture.x_0_hat is another formula than the page's, by eps; flow at t = 700 is 0.3 x_0 + 0.7 eps."""
    t, noising = 700, schedule.linear(1000)
    x_t, x_0_hat = held[0][f"linear {sampler} 20 "][:, samplers.shown(1000, 20).index(t)]
    process = flow.Straight() if sampler == "flow" else noising
    exact, (signal, noise) = five_gaussians().x_0_hat(process, x_t, t), process.signal_and_noise(t)
    # x_t was rounded too. x_0_hat's slope is Cov(x_0 | x_t) signal / noise^2; the covariance is at most a
    # cloud's 0.09 and (D / 2)^2 between clouds, whose means are at most 2 1.4 apart, and given x_t at most 2
    # 0.6 more: D / 2 = 2
    slope = (0.09 + 2**2) * signal / noise**2
    assert np.abs(x_0_hat - exact).max() <= KEPT * (1 + np.sqrt(2) * slope)


def test_all_start_from_the_same_noise_and_draw_the_same(held):
    """DDIM with eta = 1 is DDPM, draw by draw; both were rounded."""
    runs = held[0]
    first = runs["linear ddpm 20 "][0, 0]
    assert all(np.array_equal(run[0, 0], first) for key, run in runs.items() if "noising" not in key)
    assert np.abs(runs["linear ddim 20 eta=1"] - runs["linear ddpm 20 "])[0].max() <= 2 * KEPT + 1e-9


def test_noising_has_the_mixtures_moments(held):
    about, noising = held[1]["runs"]["linear noising 100 "], schedule.linear(1000)
    mean, cov = five_gaussians().moments(noising, 300)
    k = samplers.shown(1000, 100).index(300)
    exact = about["exact"][k]
    # four decimals
    assert np.abs(np.subtract(exact[:4], [*mean, *np.sqrt(np.diag(cov))])).max() <= 0.5e-4 + 1e-12
    drawn = held[0]["linear noising 100 "][0, k]
    assert np.abs(drawn.mean(axis=0) - about["drawn"][k][:2]).max() <= KEPT + 0.5e-4


def test_a_density_is_the_exact_one(held):
    _, info, shades = held
    k, side = info["densities"].index("cosine 500"), 64
    p = np.frombuffer(shades, np.uint8, side**2, k * side**2).reshape(side, side) / 255
    line = np.linspace(-3.6, 3.6, side)
    # rows run downwards
    x = np.array([[line[40], line[-1 - 20]], [line[10], line[-1 - 33]], [line[30], line[-1 - 30]]])
    log_p = five_gaussians().log_prob(schedule.cosine(1000), x, 500)
    seen = p[[20, 33, 30], [40, 10, 30]]
    # each is off by half a shade; so is the quotient, for seen[2] is the largest of the three
    assert np.abs(seen / seen[2] - np.exp(log_p - log_p[2])).max() <= 1 / 255 / seen[2]


def test_points_of_ones_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("\n".join(["0,0", "10,0", "0,10"] * 20), encoding="utf-8")
    answer = command_line.answer(capsys, "explore", "--data", "mine.csv", "--out", "deep/page.html")
    assert answer["files"] == [str(Path("deep") / "page.html")] and answer["data"] == ["mine.csv"]
    runs, info, _ = unpacked(Path("deep/page.html").read_text(encoding="utf-8"), "mine.csv")
    assert info["row"] == 120 and not any("w=" in key for key in runs)
    points = np.reshape(info["data"], (-1, 2)) / 128
    away = np.abs(runs["linear ddpm 100 "][0, -1][:, None] - points).max(axis=2)
    # a perfect learner draws its training set: at the last t = 10 the noise's std is 0.04 and the nearest
    # other point 2 away, so that its share in x_0_hat is below exp(-2^2 / (2 0.04^2) + 2 * 6 * 0.04 / 0.04^2)
    # < 1e-300. Both were rounded
    assert away.min(axis=1).max() <= 2 * KEPT + 1e-9
    assert len(np.unique(points[away.argmin(axis=1)], axis=0)) == 3


def test_what_cannot_be_drawn_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("five.npy", np.random.default_rng(0).standard_normal((9, 5)))
    assert "rows of five.npy have the shape (5,)" in command_line.refused(
        capsys, "explore", "--data", "five.npy"
    )
    assert "unknown data 'mons'; did you mean moons?" in command_line.refused(
        capsys, "explore", "--data", "mons"
    )
    assert "is a folder" in command_line.refused(capsys, "explore", "--data", "mixture", "--out", ".")
