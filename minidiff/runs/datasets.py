"""A user's own data: .npy, .npz, .csv and MNIST's IDX files, brought to the size of the noise. What is wrong
is one line."""

import csv
import gzip
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exact import Mixture
from .files import MAX_BYTES, existing, read_arrays, replacing


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to learn from; row * scale + offset is in their own units. mixture is their density, if known."""

    name: str
    x: object  # (N, d) float32, of size about 1: an array, or Rows that read a file when asked
    shape: tuple  # what a row looks like: (2,), (8, 8), ...
    scale: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    label: np.ndarray | None = None
    mixture: Mixture | None = None
    levels: int | None = None  # how many grey values, evenly from -1 to 1; None for continuous data
    columns: list | None = None  # of a .csv: the names of all columns, or "1", "2", ...
    label_column: str | None = None  # the one of them that is the label
    notes: str = ""  # what looks odd about a file


def is_file(name):
    """Is it the name of a file that read_table reads? MNIST's are called train-images-idx3-ubyte, or with .gz
    behind."""
    return (
        Path(name).suffix in (".npy", ".npz", ".csv")
        or re.search(r"idx.*ubyte(\.gz)?$", Path(name).name) is not None
    )


def _read_arrays(path):
    held = read_arrays(path)
    arrays = {{"X": "x", "labels": "label", "y": "label"}.get(k, k): a for k, a in held.items()}
    label = arrays.pop("label", None)
    if ("x" not in arrays and len(arrays) != 1) or len(arrays) + (label is not None) != len(held):
        raise ValueError(f"{path} must hold one array or one named x, it holds {sorted(held) or 'none'}")
    x = arrays["x" if "x" in arrays else min(arrays)]
    return (x if x.ndim > 2 else np.array(x)), {"label": label}


def _has_names(cells):
    """Is this a line of names? That is, not all of it are numbers."""
    try:
        [float(cell) for cell in cells]
    except ValueError:
        return True
    return False


def _odd(columns, x, label_column):
    """A line for each column that counts the rows or holds few whole numbers: it may not be meant as data."""
    for k, (name, c) in enumerate(zip(columns, x.T), 1):
        called = f"column {k}" + (f" {name!r}" if name != str(k) else "")
        if name == label_column:
            continue
        if c[0] in (0, 1) and np.array_equal(c, np.arange(len(c)) + c[0]):
            yield f"{called} only counts the rows: an index? then leave it out"
        elif len(c) > 100 and (c == c.round()).all() and 1 < (n := len(np.unique(c))) <= 20:
            yield f"{called} holds only {n} whole numbers: a label? --label-column {name}"


def _read_csv(path, label_column):
    lines = [
        line for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip()
    ]
    if not lines:
        raise ValueError(f"{path} is empty")
    if mark := next((mark for mark in ";\t" if mark in lines[-1]), None):
        decimal = " and has decimal commas" if re.search(r"\d,\d", lines[-1]) else ""
        raise ValueError(
            f"{path} is separated by {mark!r}{decimal}; expected commas between numbers such as 1.5"
        )
    try:
        columns = [cell.strip() for cell in next(csv.reader([lines[0].lstrip("# ")]))]
        named = _has_names(columns)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x = np.loadtxt(lines[named:], delimiter=",", ndmin=2, quotechar='"')
    except (ValueError, UserWarning, csv.Error) as e:
        said = re.sub(
            r"row (\d+)", lambda m: f"line {int(m[1]) + 1 + named}", str(e).splitlines()[0]
        )  # as an editor counts
        raise ValueError(f"{path} is not a table of numbers with commas between them ({said})") from e
    if len(columns) != x.shape[1]:
        raise ValueError(f"{path} has {len(columns)} names above {x.shape[1]} columns")
    columns, label = columns if named else [str(k + 1) for k in range(len(columns))], None
    label_column = "label" if label_column is None and "label" in columns else label_column
    odd = list(_odd(columns, x, label_column))
    notes = "; ".join(odd[:3]) + f"; and {len(odd) - 3} more" * (len(odd) > 3)
    if label_column is not None:
        if label_column not in columns:
            raise ValueError(f"{path} has no column {label_column!r}, it has {', '.join(columns)}")
        k = columns.index(label_column)
        label, x = x[:, k], np.delete(x, k, axis=1)
        label = label.astype(int) if np.isin(label, np.arange(1000)).all() else label
    return x, {"label": label, "columns": columns, "label_column": label_column, "notes": notes}


def write_csv(path, x, columns):
    """The rows of x (n, d), as _read_csv reads them: below the columns' names, if they are names."""
    with replacing(path) as beside, open(beside, "w", encoding="utf-8", newline="") as f:
        if _has_names(columns):
            csv.writer(f, lineterminator="\n").writerow(columns)
        np.savetxt(f, x, "%.9g", ",")


def _read_idx(path):
    """The bytes of an IDX file as (N, ...): two zeros, 8 for bytes, the number of axes, each axis as a
    big-endian word."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as f:
                raw = np.frombuffer(f.read(MAX_BYTES), np.uint8)
        else:
            raw = np.memmap(path, np.uint8, "r")
        *kind, axes = raw[:4].tolist()
        if kind != [0, 0, 8] or not 1 <= axes <= 4:
            raise ValueError("its first bytes are not those of an IDX file of bytes")
        shape = raw[4 : 4 + 4 * axes].view(">u4").tolist()
        return raw[4 + 4 * axes :].reshape(shape)
    except (ValueError, OSError, EOFError) as e:
        raise ValueError(f"{path} is cut off or is not an IDX file: {str(e).splitlines()[0]}") from e


def read_table(path, label_column=None):
    """The user's x (N, ...), from .npy, .npz (x, X or its only array), .csv or MNIST's IDX; and what else a
    Dataset keeps.

    The label is in an .npz the array label, labels or y; in a .csv the column of that name, or label_column;
    for IDX pictures it lies beside them, "labels-idx1" for "images-idx3". Pictures in an .npy or IDX file
    stay there until they are asked for. Raises ValueError for a file that is missing, empty, cut off, not
    numeric, not finite, or too short.
    """
    path = existing(path)
    if path.suffix == ".csv":
        x, about = _read_csv(path, label_column)
    elif path.suffix in (".npy", ".npz"):
        x, about = _read_arrays(path)
    else:
        beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
        x, about = (
            _read_idx(path),
            {"label": _read_idx(beside) if beside != path and beside.is_file() else None},
        )
    label = about["label"]
    if x.dtype.kind not in "fiu":
        raise ValueError(f"{path} must hold numbers, it holds {x.dtype}")
    if x.ndim < 1 or len(x) < 2 or not x[0].size:
        raise ValueError(f"{path} must hold at least two rows, it holds the shape {x.shape}")
    for first in (
        range(0, len(x), 4096) if x.dtype.kind == "f" else ()
    ):  # in chunks, as x may be larger than the memory
        if not (finite := np.isfinite(x[first : first + 4096])).all():
            raise ValueError(f"{path} holds NaN or infinity in row {first + np.argwhere(~finite)[0][0]}")
    if label is not None and label.shape != (len(x),):
        raise ValueError(f"{path}: label must have the shape ({len(x)},), got {label.shape}")
    if label is not None and (label.dtype.kind not in "iu" or label.min() < 0 or label.max() > 999):
        span = f" {label.min():g}..{label.max():g}" if label.dtype.kind in "iuf" else ""
        raise ValueError(f"{path}: label must be whole numbers 0..999, got {label.dtype}{span}")
    return (x[:, None] if x.ndim == 1 else x), about


class Rows:
    """Pictures that stay where they are: rows[index] reads, flattens and scales only those that are asked
    for."""

    ndim, dtype = 2, np.dtype(np.float32)

    def __init__(self, raw, scale, offset):
        self.raw, self.scale, self.offset, self.shape = raw, scale, offset, (len(raw), raw[0].size)

    def __len__(self):
        return len(self.raw)

    def __getitem__(self, index):
        picked = np.asarray(self.raw[index], np.float32)
        scaled = (picked - np.float32(self.offset)) / np.float32(self.scale)
        return scaled.reshape(*picked.shape[: 1 - self.raw.ndim], self.shape[1])


def from_file(path, shape=None, label_column=None):
    """The user's rows as a Dataset: columns at mean 0 and variance 1, or pictures (N, H, W[, 3]) or of that
    shape at -1..1."""
    raw, about = read_table(path, label_column)
    if raw.ndim == 2 and shape is not None and len(shape) > 1:
        if min(shape) < 1 or math.prod(shape) != raw.shape[1]:
            hint = ": is a column of labels among them? --label-column" if path.endswith(".csv") else ""
            raise ValueError(
                f"{path} has rows of {raw.shape[1]} numbers, not of {' x '.join(map(str, shape))}{hint}"
            )
        raw = raw.reshape(-1, *shape)
    if raw.ndim == 2:
        rows = raw.astype(np.float64)
        offset, scale = rows.mean(axis=0), rows.std(axis=0)
        scale[scale == 0] = 1.0
        if not np.isfinite(scale).all():
            raise ValueError(f"{path} holds numbers too large to average")
        return Dataset(
            str(path), ((rows - offset) / scale).astype(np.float32), raw.shape[1:], scale, offset, **about
        )
    if raw.ndim > 4 or (raw.ndim == 4 and raw.shape[-1] not in (1, 3)):
        first = raw.ndim == 4 and raw.shape[1] in (1, 3)
        hint = ": np.moveaxis(x, 1, -1) puts the colours last" if first else ""
        raise ValueError(
            f"{path} must hold pictures (N, H, W) or (N, H, W, 3), it holds the shape {raw.shape}{hint}"
        )
    raw = raw[..., 0] if raw.ndim == 4 and raw.shape[-1] == 1 else raw
    levels = 256 if raw.dtype == np.uint8 else None
    low, high = (0.0, 255.0) if levels else (float(raw.min()), float(raw.max()))
    offset, scale = (low + high) / 2, (high - low) / 2 or 1.0
    if max(-low, high) > float(np.finfo(np.float32).max):
        raise ValueError(f"{path} holds numbers too large to scale")
    return Dataset(str(path), Rows(raw, scale, offset), raw.shape[1:], scale, offset, levels=levels, **about)
