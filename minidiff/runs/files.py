"""Files: what cannot be read is said in one line, and what is written is there whole or not at all."""

import os
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

MAX_BYTES = 4 * 2**30  # what an archive may expand to: a small file can claim anything


def folder(path):
    """path as an existing folder that can be written; made if need be. Raises ValueError naming it
    otherwise."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as e:
        raise ValueError(f"the folder {path} cannot be written: {e.strerror}") from e
    return Path(path)


@contextmanager
def replacing(path):
    """Yields a path beside `path` to write to, and renames it when that went well; otherwise nothing is
    left."""
    beside = Path(path).with_name(f".{os.getpid()}.{Path(path).name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def existing(path):
    """path as the Path of a file that holds something. Raises ValueError otherwise."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder, expected a file")
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty")
    return path


def read_arrays(path):
    """name -> array of an .npz file; of an .npy file one of no name, which stays there until it is asked
    for."""
    path, size = existing(path), 0
    try:
        if path.suffix == ".npy":
            return {
                "": np.load(path, mmap_mode="r", allow_pickle=False)
            }  # mapping compares the header with the size
        with zipfile.ZipFile(path) as z:
            size = sum(i.file_size for i in z.infolist())
        with np.load(path, allow_pickle=False) as arrays:
            if size <= MAX_BYTES:
                return dict(arrays)
    except Exception as e:  # a damaged file fails in many ways: zlib, struct, tokenize, ...
        what = (
            "holds objects, expected numbers"
            if "bject" in str(e)
            else f"is cut off or is not an {path.suffix} file"
        )
        raise ValueError(f"{path} {what}") from e
    raise ValueError(f"{path} would expand to {size / 2**30:.1f} GiB, more than {MAX_BYTES / 2**30:.0f}")
