"""Parsed data sets, kept under a key made of their content: a changed file is never mistaken for the old one."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from fer_lib import paths

Arrays = dict[str, np.ndarray]


def cached(key: str, build: Callable[[], Arrays]) -> Arrays:
    """The arrays stored under `key` in `paths.CACHE`; else `build()`, stored for the next time if that can be done.

    A stored file that is damaged or lacks an array is built again.
    """
    file = paths.CACHE / f"{key}.npz"
    # A damaged zip raises almost anything, from OSError over struct.error to NotImplementedError.
    with suppress(Exception), file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        return {str(name): stored[name] for name in stored["names"]}
    arrays = build()
    with suppress(OSError), paths.replacing(file) as partial, partial.open("wb") as stream:
        np.savez(stream, names=list(arrays), **arrays)
    return arrays


def content_key(label: str, folder: Path, names: Iterable[str]) -> str:
    """`label` and a sha256 over the names, relative to `folder`, and the bytes of files."""
    digest = hashlib.sha256()
    for name in sorted(names):
        with (folder / name).open("rb") as stream:
            digest.update(name.encode() + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return f"{label}-{digest.hexdigest()[:32]}"
