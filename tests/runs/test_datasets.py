"""datasets: a user's own files, read or refused in one line."""

import gzip
import struct
import tracemalloc
import warnings
from itertools import islice

import numpy as np
import pytest
from command_line import write_bad_files
from hypothesis import given, settings
from hypothesis import strategies as st

from minidiff.ddpm import train
from minidiff.mlp import MLP
from minidiff.optim import start
from minidiff.runs import datasets
from minidiff.runs.batches import batches
from minidiff.runs.names import load
from minidiff.schedule import linear_scaled

S = linear_scaled(50)


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
    d = load(str(path))
    assert d.shape == (3,) and np.allclose(d.x[:, :2].mean(axis=0), 0, atol=1e-6)
    assert np.allclose(d.x[:, :2].std(axis=0), 1, atol=1e-5)
    assert np.allclose(d.x * d.scale + d.offset, raw, atol=1e-5)


def test_pictures_of_ones_own_are_scaled_by_their_range(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (5, 4, 6), dtype=np.uint8)
    np.savez(tmp_path / "p.npz", x=pictures, label=np.arange(5))
    d = load(tmp_path / "p.npz")
    assert d.shape == (4, 6) and np.allclose(d.x[:], pictures.reshape(5, 24) / 127.5 - 1, atol=1e-6)
    assert d.label[3] == 3
    np.save(tmp_path / "f.npy", np.linspace(2, 4, 24).reshape(2, 3, 4))
    d = load(tmp_path / "f.npy")
    assert d.x[:].min() == -1 and d.x[:].max() == 1 and np.isclose(d.offset, 3) and np.isclose(d.scale, 1)
    np.save(tmp_path / "line.npy", np.arange(4.0))
    assert load(tmp_path / "line.npy").x.shape == (4, 1)


def test_bad_files_are_named_with_what_is_wrong(tmp_path):
    for path, words in write_bad_files(tmp_path):
        with pytest.raises(ValueError, match=words) as error:
            load(path)
        assert path.name in str(error.value) and "\n" not in str(error.value)
    np.savez(tmp_path / "two.npz", a=np.ones(3), b=np.ones(3))
    with pytest.raises(ValueError, match=r"it holds \['a', 'b'\]"):
        load(tmp_path / "two.npz")
    np.savez(tmp_path / "label.npz", x=np.ones((3, 2)), label=np.ones(4))
    with pytest.raises(ValueError, match=r"label must have the shape \(3,\)"):
        load(tmp_path / "label.npz")


@given(st.binary(max_size=200), st.sampled_from(["npy", "npz", "csv"]))
@settings(max_examples=60)
def test_any_bytes_are_refused_in_one_line(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("b") / f"b.{suffix}"
    path.write_bytes(content)
    try:
        datasets.read_table(path)
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
            datasets.read_table(path)
        except ValueError as e:
            assert "\n" not in str(e).strip()


INDICES = [3, -1, slice(2, 9, 3), slice(None), np.array([5, 0, 5]), np.array([], int), np.arange(10) % 3 == 0]


@pytest.mark.parametrize("shape", [(10, 4, 6), (10, 4, 4, 3), (10, 4, 4, 1)])
@pytest.mark.parametrize("kind", [np.uint8, np.float64, np.int16])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_rows_are_what_the_whole_would_be(tmp_path, shape, kind, suffix):
    """Bytes by 0..255, other numbers by their own range; whatever is asked for, and in float32."""
    pictures = (200 * np.random.default_rng(0).random(shape) + 20).astype(kind)
    (np.save if suffix == "npy" else np.savez)(tmp_path / f"p.{suffix}", pictures)
    d = load(tmp_path / f"p.{suffix}")
    low, high = (0, 255) if kind == np.uint8 else (pictures.min(), pictures.max())
    whole = ((pictures - (low + high) / 2) / ((high - low) / 2)).reshape(10, -1)
    assert d.shape == (shape[1:] if shape[-1] == 3 else shape[1:3])
    assert d.levels == (256 if kind == np.uint8 else None)
    assert d.x.shape == whole.shape and len(d.x) == 10
    assert d.x.dtype == np.float32 and d.x.ndim == 2 and d.label is None
    for index in INDICES:
        got = d.x[index]
        assert got.dtype == np.float32 and got.shape == whole[index].shape
        assert np.abs(got - whole[index]).max(initial=0) < 1e-5  # float32 of numbers up to 220, over 100
    assert np.allclose(d.x[:] * d.scale + d.offset, pictures.reshape(10, -1), atol=1e-3)
    if suffix == "npy":
        assert isinstance(d.x.raw if shape[-1] != 1 else d.x.raw.base, np.memmap)


def test_flat_pictures_are_all_in_the_middle(tmp_path):
    np.save(tmp_path / "flat.npy", np.full((3, 4, 4), 7.0))
    assert not load(tmp_path / "flat.npy").x[:].any()
    np.save(tmp_path / "flat.npy", np.array([-1e300, 1e300] * 24).reshape(3, 4, 4))
    with pytest.raises(ValueError, match="too large to scale"):
        load(tmp_path / "flat.npy")


def idx(array):
    """MNIST's format, by its description: 0, 0, 8 for bytes, the number of axes, the axes, the bytes."""
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        + array.astype(np.uint8).tobytes()
    )


@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx_files_bring_their_labels_along(tmp_path, end):
    pictures = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    pack = gzip.compress if end else bytes
    (tmp_path / f"train-images-idx3-ubyte{end}").write_bytes(pack(idx(pictures)))
    d = load(tmp_path / f"train-images-idx3-ubyte{end}")
    assert d.label is None and d.shape == (5, 4) and d.levels == 256
    assert np.allclose(d.x[:], pictures.reshape(7, 20) / 127.5 - 1, atol=1e-6)
    assert isinstance(d.x.raw, np.memmap) == (not end)
    (tmp_path / f"train-labels-idx1-ubyte{end}").write_bytes(pack(idx(np.arange(7) % 3)))
    assert np.array_equal(load(tmp_path / f"train-images-idx3-ubyte{end}").label, np.arange(7) % 3)
    (tmp_path / f"train-labels-idx1-ubyte{end}").write_bytes(pack(idx(np.arange(6))))
    with pytest.raises(ValueError, match=r"label must have the shape \(7,\), got \(6,\)"):
        load(tmp_path / f"train-images-idx3-ubyte{end}")


WHOLE = idx(np.zeros((3, 4, 4), np.uint8))


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize(
    "content",
    [WHOLE[:-1], WHOLE + b"x", WHOLE[:3], WHOLE[:9], b"\1" + WHOLE[1:], WHOLE[:2] + b"\x0d" + WHOLE[3:],
     b"hello world, hello", struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1),
     struct.pack(">BBBB", 0, 0, 8, 0), struct.pack(">BBBB", 0, 0, 8, 200)],
    ids=["short", "long", "stub", "axes", "zero", "floats", "words", "huge", "no axis", "axes without end"],
)  # fmt: skip
def test_damaged_idx_files_are_named(tmp_path, content, end):
    path = tmp_path / f"t10k-images-idx3-ubyte{end}"
    path.write_bytes(gzip.compress(content) if end else content)
    with pytest.raises(ValueError, match="is cut off or is not an IDX file") as error:
        load(path)
    assert path.name in str(error.value) and "\n" not in str(error.value)
    if end:
        for n in (5, 20, -1):
            path.write_bytes(gzip.compress(WHOLE)[:n])
            with pytest.raises(ValueError, match="is cut off or is not an IDX file"):
                load(path)
        path.write_bytes(WHOLE)  # not compressed at all
        with pytest.raises(ValueError, match="is cut off or is not an IDX file"):
            load(path)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (np.arange(4), r"label must have the shape \(3,\), got \(4,\)"),
        (np.ones((3, 1), int), r"got \(3, 1\)"),
        (np.ones(3), "whole numbers 0..999, got float64"),
        (np.array([0, -1, 2]), "got int64 -1..2"),
        (np.array([0, 1000, 2]), "got int64 0..1000"),
        (np.array(["a", "b", "c"]), "label must be whole numbers"),
        (np.array([0, "b", None], object), "holds objects"),
        (np.array([True, False, True]), "label must be whole numbers"),
    ],
)
def test_labels_that_do_not_fit_are_named(tmp_path, label, words):
    np.savez(tmp_path / "p.npz", x=np.zeros((3, 4, 4), np.uint8), label=label)
    with pytest.raises(ValueError, match=words) as error:
        load(tmp_path / "p.npz")
    assert "p.npz" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(3, 4, 4, 2), (3, 4, 4, 4), (3, 4, 4, 3, 1)])
def test_pictures_with_other_axes_are_named(tmp_path, shape):
    np.save(tmp_path / "p.npy", np.zeros(shape))
    with pytest.raises(
        ValueError, match=r"must hold pictures \(N, H, W\) or \(N, H, W, 3\), it holds the shape"
    ):
        load(tmp_path / "p.npy")


def test_pictures_that_are_not_finite_are_named_from_the_file(tmp_path):
    pictures = np.zeros((5000, 2, 2), np.float32)
    pictures[4999, 1, 0] = np.nan
    np.save(tmp_path / "p.npy", pictures)
    with pytest.raises(ValueError, match="NaN or infinity in row 4999"):
        load(tmp_path / "p.npy")


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("suffix", ["npy", "npz", "csv"])
@pytest.mark.parametrize("shape", [(4, 6), (3, 5, 3)])
def test_rows_of_pixels_are_the_pictures_that_the_shape_says(tmp_path, kind, suffix, shape):
    """The same as the file that holds them as pictures; a .csv has no bytes: its range is its numbers'."""
    pictures = np.random.default_rng(0).integers(0, 256, (9, *shape)).astype(kind)
    pictures[0, 0, 0], pictures[0, 1, 0] = 0, 255
    rows = pictures.reshape(9, -1)
    if suffix == "csv":
        np.savetxt(tmp_path / "r.csv", rows, delimiter=",", fmt="%g")
    else:
        {"npy": np.save, "npz": np.savez}[suffix](tmp_path / f"r.{suffix}", rows)
    np.save(tmp_path / "p.npy", pictures)
    a, b = load(tmp_path / f"r.{suffix}", shape=shape), load(tmp_path / "p.npy")
    assert a.shape == b.shape == shape and np.array_equal(a.x[:], b.x[:])
    assert np.all(a.offset == b.offset) and np.all(a.scale == b.scale)
    assert a.levels == (b.levels if suffix != "csv" else None)
    assert load(tmp_path / f"r.{suffix}").shape == (rows.shape[1],)  # as a table, unless asked


@pytest.mark.parametrize("shape", [(5, 5), (4, 6, 1), (-4, -6), (0, 24), (2, 3, 4), (2, 2, 2, 3), (24, 1, 1)])
def test_a_shape_that_the_rows_do_not_have_is_named(tmp_path, shape):
    np.save(tmp_path / "r.npy", np.ones((3, 24)))
    np.save(tmp_path / "p.npy", np.ones((3, 4, 6)))
    for name in ("r.npy", "p.npy"):
        with pytest.raises(
            ValueError, match=r"not (of )?\(?-?\d|must hold pictures|has rows of the shape"
        ) as error:
            load(tmp_path / name, shape=shape)
        assert name in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(ValueError, match=r"moons has rows of the shape \(2,\), not \(2, 1\)"):
        load("moons", shape=(2, 1))


def test_a_label_before_the_pixels_is_pointed_at(tmp_path):
    """MNIST is often passed on as a .csv whose first column is the digit."""
    pixels = np.random.default_rng(0).integers(0, 256, (101, 16))
    np.savetxt(tmp_path / "m.csv", np.column_stack([np.arange(101) % 10, pixels]), delimiter=",", fmt="%d")
    with pytest.raises(
        ValueError,
        match="rows of 17 numbers, not of 4 x 4: is a column of labels among them. --label-column$",
    ):
        load(tmp_path / "m.csv", shape=(4, 4))
    d = load(tmp_path / "m.csv", shape=(4, 4), label_column="1")
    assert d.shape == (4, 4) and d.label.max() == 9


@pytest.mark.parametrize("x", ["x", "X"])
@pytest.mark.parametrize("label", ["label", "labels", "y"])
def test_arrays_of_an_npz_have_the_usual_names(tmp_path, x, label):
    np.savez(tmp_path / "p.npz", **{label: np.array([2, 0]), x: np.array([[1.0, 2], [3, 4]])})
    d = load(tmp_path / "p.npz")
    assert d.label.tolist() == [2, 0] and np.allclose(d.x * d.scale + d.offset, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "names", [("x", "X"), ("x", "y", "label"), ("labels", "y"), ("x_train", "x_test"), ("y",)]
)
def test_arrays_of_an_npz_that_mean_the_same_or_nothing_are_named(tmp_path, names):
    np.savez(tmp_path / "p.npz", **{name: np.arange(3) for name in names})
    with pytest.raises(ValueError, match="must hold one array or one named x, it holds") as error:
        load(tmp_path / "p.npz")
    assert str(sorted(names)) in str(error.value)


def test_a_csv_keeps_its_names_and_its_label(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text('"height, cm",label,"age"\n"1.5",3,7\n2.5,0,8\n')
    d = load(path)
    assert d.columns == ["height, cm", "label", "age"] and d.label_column == "label"
    assert d.label.tolist() == [3, 0]
    assert np.allclose(d.x * d.scale + d.offset, [[1.5, 7], [2.5, 8]]) and d.label.dtype.kind == "i"
    d = load(path, label_column="age")  # then `label` is data
    assert d.label.tolist() == [7, 8] and d.label_column == "age" and d.x.shape == (2, 2)
    path.write_text("1.5,3,7\n2.5,0,8\n")
    d = load(path)
    assert d.columns == ["1", "2", "3"] and d.label is None is d.label_column
    assert load(path, label_column="2").label.tolist() == [3, 0]
    path.write_text("# a,b\n1,2\n3,5\n")  # np.savetxt's own header
    assert load(path).columns == ["a", "b"]
    for name, words in (("c", "has no column 'c', it has a, b"), ("label", "has no column 'label'")):
        with pytest.raises(ValueError, match=words):
            load(path, label_column=name)
    with pytest.raises(ValueError, match="a label column is for a .csv file, and moons is none"):
        load("moons", label_column="a")


@pytest.mark.parametrize("written", [[3.0, 0.5], [0, 1000], [0, -1], [0, np.nan], [0, np.inf]])
def test_a_column_of_labels_that_are_none_is_named(tmp_path, written):
    np.savetxt(
        tmp_path / "m.csv", np.column_stack([[1, 2], written]), delimiter=",", header="a,label", comments=""
    )
    with pytest.raises(ValueError, match=r"m\.csv: label must be whole numbers 0\.\.999, got float64"):
        load(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a;b\n1.5;2\n", "is separated by ';'; expected commas"),
        (
            "1,5;2\n3,5;4\n",
            "is separated by ';' and has decimal commas; expected commas between numbers such as 1.5",
        ),
        ("a\tb\n1\t2\n", r"is separated by '\\t'; expected commas"),
        ("a,b\n1,2,3\n4,5,6\n", "has 2 names above 3 columns"),
        ("a,species\n1,setosa\n", "could not convert string 'setosa'"),
    ],
)
def test_a_csv_of_another_kind_is_named(tmp_path, text, words):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ValueError, match=words) as error:
        load(tmp_path / "m.csv")
    assert "m.csv" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("columns", [["a", "b"], ["height, cm", 'the "b"'], ["", "b"], ["1", "2"]])
def test_a_csv_that_is_written_can_be_read(tmp_path, columns):
    x = np.array([[1.5, -2e-9], [3e20, 0.1]])
    datasets.write_csv(tmp_path / "m.csv", x, columns)
    read, about = datasets.read_table(tmp_path / "m.csv")
    assert about["columns"] == columns and np.allclose(read, x, rtol=1e-8, atol=0)  # nine digits


def test_memory_does_not_grow_with_the_file(tmp_path):
    """A file of 15 MB, 61 MB as floats: the batch, its noise, the network, 8 bytes a row are under 3 MB."""
    n, model = 60_000, MLP(256, 16, 1)
    np.save(tmp_path / "p.npy", np.random.default_rng(0).integers(0, 256, (n, 16, 16), dtype=np.uint8))

    def learn():
        mine = load(tmp_path / "p.npy")
        state = start(model.init(np.random.default_rng(0)))
        for _ in train(model, state, S, islice(batches(mine.x, S, 0, 0, 8), 4)):
            pass

    learn()  # compiles
    tracemalloc.start()
    learn()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 8 * n + 2**21


def test_colours_that_come_first_are_said_how_to_move(tmp_path):
    np.save(tmp_path / "p.npy", np.zeros((2, 3, 8, 8)))
    with pytest.raises(ValueError, match=r"np.moveaxis\(x, 1, -1\) puts the colours last"):
        load(tmp_path / "p.npy")
    np.save(tmp_path / "p.npy", np.moveaxis(np.zeros((2, 3, 8, 8)), 1, -1))
    assert load(tmp_path / "p.npy").shape == (8, 8, 3)


def test_columns_that_may_not_be_data_are_pointed_at_but_kept(tmp_path):
    n, rng = 101, np.random.default_rng(0)
    few = np.arange(n) % 20
    odd = {"id": np.arange(n), "row": np.arange(n) + 1, "species": few, "9": few}
    fine = {"a": rng.standard_normal(n), "many": np.arange(n) % 21, "halves": few / 2, "same": np.full(n, 3),
            "years": np.arange(n) + 2, "back": np.arange(n)[::-1]}  # fmt: skip

    def notes(columns, rows=n, **more):
        table = np.column_stack([*columns.values()])[:rows]
        np.savetxt(tmp_path / "m.csv", table, delimiter=",", header=",".join(columns), comments="")
        d = load(tmp_path / "m.csv", **more)
        assert d.x.shape[1] == len(columns) - len(more)
        return d.notes

    assert notes(fine) == "" == notes({"a": fine["a"], "species": few}, rows=100)
    for name in ("id", "row"):
        assert (
            notes({"a": fine["a"], name: odd[name]})
            == f"column 2 '{name}' only counts the rows: an index? then leave it out"
        )
    assert notes({"a": fine["a"], "b": fine["a"], "species": few}) == (
        "column 3 'species' holds only 20 whole numbers: a label? --label-column species"
    )
    assert notes({"a": fine["a"], "species": few}, label_column="species") == ""
    assert notes(odd | fine).endswith("; and 1 more") and notes(odd | fine).count(";") == 3


@pytest.mark.parametrize("head, line", [("x,y\n", 3), ("", 2)])
def test_what_is_no_number_is_found_by_its_line(tmp_path, head, line):
    (tmp_path / "bad.csv").write_text(f"{head}1,2\n3,oops\n")
    with pytest.raises(ValueError, match=rf"'oops'.* at line {line}, column 2"):
        datasets.read_table(str(tmp_path / "bad.csv"))
