"""Files: what cannot be read is said in one line, and what is written is there whole or not at all."""

import os
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

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


def read_npz(path):
    """name -> array of an .npz file. Raises ValueError for one that is missing, cut off, too large or holds objects."""
    path = existing(path)
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
