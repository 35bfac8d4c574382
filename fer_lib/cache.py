"""Parsed data sets, kept under a key made of their content: a changed file is never mistaken for the old one."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from fer_lib import paths

Arrays = dict[str, np.ndarray]


def cached(key: str, build: Callable[[], Arrays]) -> Arrays:
    """The arrays stored under `key`, or `build()`, stored for the next time if the cache can be written.

    A cache file that cannot be read is built again.
    """
    file = paths.CACHE / f"{key}.npz"
    with suppress(OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile), np.load(file) as stored:
        return {name: stored[name] for name in stored.files}
    arrays = build()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"{key}.{os.getpid()}.tmp")
        with partial.open("wb") as stream:
            np.savez(stream, **arrays)
        os.replace(partial, file)
    return arrays


def content_key(label: str, files: Iterable[Path]) -> str:
    """`label` and a digest over the names and bytes of files."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"{label}-{digest.hexdigest()[:32]}"
