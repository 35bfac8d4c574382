"""Cache of parsed data sets under a hash of their content, so that a changed file never matches an old entry."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from fer_lib import paths

Arrays = dict[str, np.ndarray]


def cached(key: str, build: Callable[[], Arrays]) -> Arrays:
    """The arrays stored under `key` in `paths.CACHE`; else the result of `build()`, stored if the cache is writable.

    Damaged or incomplete files are rebuilt.
    """
    file = paths.CACHE / f"{key}.npz"
    # A damaged zip can raise almost anything, from OSError to struct.error and NotImplementedError.
    with suppress(Exception), file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        return {str(name): stored[name] for name in stored["names"]}
    arrays = build()
    with suppress(OSError), paths.replacing(file) as partial, partial.open("wb") as stream:
        np.savez(stream, names=list(arrays), **arrays)
    return arrays


def content_key(label: str, folder: Path, names: Iterable[str]) -> str:
    """`label` and a sha256 over the files' names, relative to `folder`, and their bytes."""
    digest = hashlib.sha256()
    for name in sorted(names):
        with (folder / name).open("rb") as stream:
            digest.update(name.encode() + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return f"{label}-{digest.hexdigest()[:32]}"
