"""Files: what cannot be read is said in one line, and what is written is there whole or not at all."""

import csv
import gzip
import math
import os
import re
import struct
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .names import pick

MAX_BYTES = 4 * 2**30  # what an archive may expand to: a small file can claim anything


def folder(path):
    """path as an existing folder that can be written; made if need be. Raises ValueError naming it otherwise."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".{os.getpid()}.probe"
        probe.touch()
        probe.unlink()
    except OSError as e:
        raise ValueError(f"the folder {path} cannot be written: {e.strerror}") from e
    return path


@contextmanager
def replacing(path):
    """Yields a path beside `path` to write to, and renames it when that went well; otherwise nothing is left."""
    path = Path(path)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _existing(path):
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder, expected a file")
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty")
    return path


def read_npz(path):
    """name -> array of an .npz file. Raises ValueError for one that is missing, cut off, too large or holds objects."""
    path = _existing(path)
    try:
        with zipfile.ZipFile(path) as z:
            size = sum(i.file_size for i in z.infolist())
        if size > MAX_BYTES:
            raise ValueError(f"{path} would expand to {size / 2**30:.1f} GiB, more than {MAX_BYTES / 2**30:.0f}")
        with np.load(path, allow_pickle=False) as arrays:
            return {k: arrays[k] for k in arrays.files}
    except ValueError as e:
        raise ValueError(f"{path} holds objects, expected numbers" if "pickle" in str(e) else f"{path}: {e}") from e
    except Exception as e:  # a damaged archive fails in many ways: zlib, struct, tokenize, ...
        raise ValueError(f"{path} is cut off or is not an .npz file ({type(e).__name__})") from e


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
    lines = [line for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"{path} is empty")
    if mark := next((mark for mark in ";\t" if mark in lines[-1]), None):
        decimal = " and has decimal commas" if re.search(r"\d,\d", lines[-1]) else ""
        raise ValueError(f"{path} is separated by {mark!r}{decimal}; expected commas between numbers such as 1.5")
    try:
        columns = [cell.strip() for cell in next(csv.reader([lines[0].lstrip("# ")]))]
        named = _has_names(columns)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x = np.loadtxt(lines[named:], delimiter=",", ndmin=2, quotechar='"')
    except (ValueError, UserWarning, csv.Error) as e:
        raise ValueError(f"{path} is not a table of numbers with commas between them ({str(e).splitlines()[0]})") from e
    if len(columns) != x.shape[1]:
        raise ValueError(f"{path} has {len(columns)} names above {x.shape[1]} columns")
    columns = columns if named else [str(k + 1) for k in range(len(columns))]
    label_column = "label" if label_column is None and "label" in columns else label_column
    odd, label = list(_odd(columns, x, label_column)), None
    if label_column is not None:
        k = pick("column", {name: k for k, name in enumerate(columns)}, label_column)
        label, x = x[:, k], np.delete(x, k, axis=1)
        label = label.astype(int) if np.isin(label, np.arange(1000)).all() else label
    notes = "; ".join(odd[:3]) + f"; and {len(odd) - 3} more" * (len(odd) > 3)
    return x, {"label": label, "columns": columns, "label_column": label_column, "notes": notes}


def write_csv(path, x, columns):
    """The rows of x (n, d), as _read_csv reads them: below the columns' names, if they are names."""
    with replacing(path) as beside, open(beside, "w", encoding="utf-8", newline="") as f:
        if _has_names(columns):
            csv.writer(f, lineterminator="\n").writerow(columns)
        np.savetxt(f, x, "%.9g", ",")


def is_idx(path):
    """Is it named like one of MNIST's files, train-images-idx3-ubyte or with .gz behind?"""
    return "idx" in Path(path).name and Path(path).name.removesuffix(".gz").endswith("ubyte")


def _read_idx(path):
    """The bytes of an IDX file as (N, ...): two zeros, 8 for bytes, the number of axes, each axis as a big-endian word."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as f:
            zeros, kind, axes = struct.unpack(">HBB", f.read(4))
            shape = struct.unpack(f">{axes}I", f.read(4 * axes))
            if zeros or kind != 8 or not 1 <= axes <= 4:
                raise ValueError("its first bytes are not those of an IDX file of bytes")
            if path.suffix == ".gz":
                return np.frombuffer(f.read(MAX_BYTES), np.uint8).reshape(shape)
        if path.stat().st_size != 4 + 4 * axes + math.prod(shape):
            raise ValueError(f"its size does not fit the shape {shape}")
        return np.memmap(path, np.uint8, "r", 4 + 4 * axes, shape)
    except (ValueError, OSError, EOFError, struct.error) as e:
        raise ValueError(f"{path} is cut off or is not an IDX file: {str(e).splitlines()[0]}") from e


def _finite(x):
    """The first row with NaN or infinity, or None; a chunk at a time, as x may be larger than the memory."""
    for first in range(0, len(x), 4096) if x.dtype.kind == "f" else ():
        bad = ~np.isfinite(x[first : first + 4096])
        if bad.any():
            return first + np.argwhere(bad)[0][0]
    return None


def read_table(path, label_column=None):
    """The user's x (N, ...), from .npy, .npz (x, X or its only array), .csv or MNIST's IDX; and what else data.Dataset keeps.

    The label is in an .npz the array label, labels or y; in a .csv the column of that name, or label_column.

    Pictures, (N, H, W) and more axes, stay in an .npy or IDX file until they are asked for. The labels of IDX pictures
    lie beside them, "labels-idx1" for "images-idx3".

    Raises ValueError for a file that is missing, empty, cut off, not numeric, not finite or of fewer than two rows.
    """
    path, label, about = _existing(path), None, {}
    if path.suffix == ".npz":
        held = read_npz(path)
        arrays = {{"X": "x", "labels": "label", "y": "label"}.get(k, k): a for k, a in held.items()}
        label = arrays.pop("label", None)
        if ("x" not in arrays and len(arrays) != 1) or len(arrays) + (label is not None) != len(held):
            raise ValueError(f"{path} must hold one array or one named x, it holds {sorted(held) or 'none'}")
        x = arrays["x"] if "x" in arrays else next(iter(arrays.values()))
    elif path.suffix == ".npy":
        try:
            x = np.load(path, mmap_mode="r", allow_pickle=False)  # mapping compares the header with the size
            x = x if x.ndim > 2 else np.array(x)
        except Exception as e:  # a damaged header fails in many ways
            what = "holds objects, expected numbers" if "object" in str(e) else "is cut off or is not an .npy file"
            raise ValueError(f"{path} {what}") from e
    elif path.suffix == ".csv":
        x, about = _read_csv(path, label_column)
        label = about["label"]
    elif is_idx(path):
        x = _read_idx(path)
        beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
        label = _read_idx(beside) if beside != path and beside.is_file() else None
    else:
        raise ValueError(f"{path} must end in .npy, .npz or .csv, or be one of MNIST's IDX files")
    if x.dtype.kind not in "fiu":
        raise ValueError(f"{path} must hold numbers, it holds {x.dtype}")
    if x.ndim < 1 or len(x) < 2 or not x[0].size:
        raise ValueError(f"{path} must hold at least two rows, it holds the shape {x.shape}")
    if (row := _finite(x)) is not None:
        raise ValueError(f"{path} holds NaN or infinity in row {row}")
    if label is not None and label.shape != (len(x),):
        raise ValueError(f"{path}: label must have the shape ({len(x)},), got {label.shape}")
    if label is not None and (label.dtype.kind not in "iu" or label.min() < 0 or label.max() > 999):
        span = f" {label.min():g}..{label.max():g}" if label.dtype.kind in "iuf" else ""
        raise ValueError(f"{path}: label must be whole numbers 0..999, got {label.dtype}{span}")
    return (x[:, None] if x.ndim == 1 else x), about | {"label": label}
