"""data and files."""

import os
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidiff import data, files


@pytest.mark.parametrize("name", data.NAMES)
def test_every_data_set(name):
    d = data.load(name, 1)
    assert d.name == name and d.x.dtype == np.float32 and d.x.ndim == 2 and np.isfinite(d.x).all()
    assert d.x.shape[1] == np.prod(d.shape) and len(d.x) >= 1797
    assert np.array_equal(d.x, data.load(name, 1).x)
    assert 0.5 < (d.x**2).mean() < 1.2  # comparable to the noise
    if name in data.TOYS or name in data.MIXTURES:
        assert not np.array_equal(d.x, data.load(name, 2).x)
    if d.label is not None:
        assert d.label.shape == (len(d.x),)


def test_toys_lie_where_they_should():
    ring, board = data.load("ring").x, data.load("checkerboard").x
    assert np.abs(np.linalg.norm(ring, axis=1) - 1.4).max() < 0.5
    column, row = (np.floor(board / 0.85).astype(int)).T
    assert np.all((column + row) % 2 == 0) and column.min() == -2 and column.max() == 1
    moons, roll = data.load("moons").x / 1.3 + np.array([0.5, 0.25]), data.load("swiss-roll").x * 7
    on_a_moon = np.minimum(abs(np.hypot(*moons.T) - 1), abs(np.hypot(*(moons - [1, 0.5]).T) - 1))
    assert on_a_moon.max() < 0.35
    assert 1.5 * np.pi - 2 < np.hypot(*roll.T).min() and np.hypot(*roll.T).max() < 4.5 * np.pi + 2
    for name in ("mixture", "eight-gaussians"):
        d = data.load(name)
        mean, cov = d.mixture.moments(data_schedule(), 0)
        assert np.abs(d.x.mean(axis=0) - mean).max() < 7.2 * np.sqrt(np.diag(cov).max() / len(d.x))


def data_schedule():
    from minidiff.schedule import linear

    return linear(10)


def test_digits_are_all_there_and_scale_back_to_grey_levels():
    d = data.load("digits")
    raw = d.x * d.scale + d.offset
    assert d.x.shape == (1797, 64) and np.array_equal(np.unique(raw), np.arange(17))
    assert np.array_equal(np.unique(d.label), np.arange(10)) and np.bincount(d.label).min() == 174
    assert "CC BY 4.0" in (data.Path(data.__file__).with_name("digits.txt")).read_text()


@pytest.mark.parametrize("size", [8, 13, 32])
def test_glyphs(size):
    x, label = data.glyphs(size, 60, np.random.default_rng(0))
    ink = (x + 1) / 2
    assert x.shape == (60, size * size) and x.min() >= -1 and x.max() <= 1 and label.max() < len(data.CHARACTERS)
    # a stroke is 3 or more of the canvas's 64 pixels wide, and each pixel averages 2 x 2 looks at it
    assert np.all(ink.max(axis=1) > 0.25) and 0.03 < ink.mean() < 0.5
    edge = np.concatenate([ink.reshape(60, size, size)[:, [0, -1]].ravel(), ink.reshape(60, size, size)[:, :, [0, -1]].ravel()])
    assert edge.mean() < 0.1  # centred
    assert len(np.unique(x, axis=0)) == 60


def test_every_face_has_every_character():
    for face in data.FACES:
        drawn = {data._draw(face, c).tobytes() for c in data.CHARACTERS}
        assert len(drawn) == len(data.CHARACTERS)


@pytest.mark.parametrize("size", [7, 33])
def test_glyphs_of_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=rf"8..32, got {size}"):
        data.load(f"glyphs-{size}")


@pytest.mark.parametrize("name", ["moon", "", "glyphs-x", "x.txt", "/"])
def test_unknown_data_lists_the_known(name):
    with pytest.raises(ValueError, match=r"unknown data .*mixture, .*moons, .*digits, glyphs"):
        data.load(name)


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv"])
def test_a_table_of_ones_own_is_standardised_by_column(tmp_path, suffix):
    raw = np.random.default_rng(0).standard_normal((50, 3)) * [1, 10, 0] + [5, -3, 2]
    path = tmp_path / f"mine.{suffix}"
    if suffix == "npy":
        np.save(path, raw)
    elif suffix == "npz":
        np.savez(path, raw)
    else:
        np.savetxt(path, raw, delimiter=",", header="x1,x2,x3", comments="", fmt="%.17g")
    d = data.load(str(path))
    assert (
        d.shape == (3,)
        and np.allclose(d.x[:, :2].mean(axis=0), 0, atol=1e-6)
        and np.allclose(d.x[:, :2].std(axis=0), 1, atol=1e-5)
    )
    assert np.allclose(d.x * d.scale + d.offset, raw, atol=1e-5)


def test_pictures_of_ones_own_are_scaled_by_their_range(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (5, 4, 6), dtype=np.uint8)
    np.savez(tmp_path / "p.npz", x=pictures, label=np.arange(5))
    d = data.load(tmp_path / "p.npz")
    assert d.shape == (4, 6) and np.allclose(d.x, pictures.reshape(5, 24) / 127.5 - 1, atol=1e-6) and d.label[3] == 3
    np.save(tmp_path / "f.npy", np.linspace(2, 4, 24).reshape(2, 3, 4))
    d = data.load(tmp_path / "f.npy")
    assert d.x.min() == -1 and d.x.max() == 1 and np.isclose(d.offset, 3) and np.isclose(d.scale, 1)
    np.save(tmp_path / "line.npy", np.arange(4.0))
    assert data.load(tmp_path / "line.npy").x.shape == (4, 1)


def bad_files(folder):
    """name -> (what is written, what is said)."""
    good = folder / "good.npy"
    np.save(good, np.ones((9, 2)))
    whole = good.read_bytes()
    return {
        "missing.npy": (None, "there is no file"),
        "folder.npy": ("folder", "is a folder"),
        "empty.npy": (b"", "is empty"),
        "empty.csv": (b"", "is empty"),
        "blank.csv": (b"\n \n", "is empty"),
        "cut.npy": (whole[:-5], "is cut off"),
        "stub.npy": (whole[:7], "is cut off"),
        "noise.npy": (b"hello world", "npy"),
        "noise.npz": (b"hello world", "cut off or is not"),
        "words.csv": (b"1,2\nthree,4\n", "not a table of numbers"),
        "ragged.csv": (b"1,2\n3\n", "not a table of numbers"),
        "nan-first.csv": (b"nan,inf\n1,2\n3,4\n", "NaN or infinity in row 0"),
        "huge.npy": (whole[:128].replace(b"(9, 2)", b"(9e9,)") + b"x", "is cut off"),
        "header.csv": (b"a,b\n", "not a table of numbers|at least two rows"),
        "nan.csv": (b"1,2\n3,nan\n", "NaN or infinity in row 1"),
        "one.csv": (b"1,2\n", "at least two rows"),
        "objects.npy": (np.array([{}, 2], dtype=object), "holds objects"),
        "text.npy": (np.array(["a", "b"]), "must hold numbers"),
        "complex.npy": (np.ones((3, 2), complex), "must hold numbers"),
        "inf.npy": (np.array([[1.0, 2], [np.inf, 3]]), "NaN or infinity in row 1"),
        "one.npy": (np.ones((1, 2)), "at least two rows"),
        "none.npy": (np.ones((0, 2)), "at least two rows"),
        "scalar.npy": (np.array(3.0), "at least two rows"),
        "thin.npy": (np.ones((3, 0)), "at least two rows"),
    }


def write_bad_files(folder):
    """Writes them all; returns [(path, words)]."""
    made = []
    for name, (content, words) in bad_files(folder).items():
        path = folder / name
        if content == "folder" if isinstance(content, str) else False:
            path.mkdir()
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            np.save(path, content, allow_pickle=True)
        made.append((path, words))
    return made


def test_bad_files_are_named_with_what_is_wrong(tmp_path):
    for path, words in write_bad_files(tmp_path):
        with pytest.raises(ValueError, match=words) as error:
            data.load(path)
        assert path.name in str(error.value) and "\n" not in str(error.value)
    np.savez(tmp_path / "two.npz", a=np.ones(3), b=np.ones(3))
    with pytest.raises(ValueError, match=r"it holds \['a', 'b'\]"):
        data.load(tmp_path / "two.npz")
    np.savez(tmp_path / "label.npz", x=np.ones((3, 2)), label=np.ones(4))
    with pytest.raises(ValueError, match=r"label must have the shape \(3,\)"):
        data.load(tmp_path / "label.npz")


@given(st.binary(max_size=200), st.sampled_from(["npy", "npz", "csv"]))
@settings(max_examples=60)
def test_any_bytes_are_refused_in_one_line(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("b") / f"b.{suffix}"
    path.write_bytes(content)
    try:
        files.read_table(path)
    except ValueError as e:
        assert "\n" not in str(e).strip()


@given(st.sampled_from(["npy", "npz"]), st.integers(0, 2000), st.integers(0, 255))
@settings(max_examples=150)
def test_a_damaged_file_is_refused_in_one_line_or_read(tmp_path_factory, suffix, where, byte):
    path = tmp_path_factory.mktemp("b") / f"b.{suffix}"
    (np.save if suffix == "npy" else np.savez_compressed)(path, np.arange(60.0).reshape(30, 2))
    content = bytearray(path.read_bytes())
    content[where % len(content)] = byte
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            files.read_table(path)
        except ValueError as e:
            assert "\n" not in str(e).strip()


def test_replacing_is_all_or_nothing(tmp_path):
    path = tmp_path / "f"
    with files.replacing(path) as beside:
        beside.write_text("new")
    assert path.read_text() == "new"
    with pytest.raises(RuntimeError), files.replacing(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["f"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"):
        files.folder(tmp_path / "file" / "below")
    assert files.folder(tmp_path / "a" / "b").is_dir() and not list((tmp_path / "a" / "b").iterdir())
