"""An experiment's folder `results/<dataset>/<experiment>/`: reading, writing and checking its results.

Every file is written under a temporary name and then renamed. `metrics.csv` is written last: a member is finished if it
has a row there, whatever else an interrupted run left behind.
"""

import fcntl
import gzip
import importlib.metadata
import json
import platform
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from fer_lib import paths
from fer_lib.experiments import Experiment, Member

METHOD_VERSION = 1
"""Increased when a code change alters what training computes; results of different versions are never mixed."""

TABLES = (
    "predictions.csv.gz",
    "occlusion.csv",
    "occluded_predictions.csv.gz",
    "embeddings.csv.gz",
    "views.csv.gz",
    "attribution.csv.gz",
    "deletion.csv.gz",
    "regions.csv.gz",
    "history.csv",
    "metrics.csv",
)
PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "pandas")


def folder(experiment: Experiment) -> Path:
    """Folder of the experiment's results."""
    return paths.RESULTS / experiment.dataset / experiment.experiment


@contextmanager
def alone(experiment: Experiment) -> Iterator[None]:
    """Lock the experiment's folder against training by other processes; the lock of a killed process is released.

    Raises ValueError if another process holds the lock, OSError if the folder is not writable.
    """
    file = folder(experiment) / ".lock"
    with _writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is training into {file.parent}; wait for it, or stop it") from None
        yield


def write(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises PermissionError or another OSError, naming the path and the remedy, if it cannot be written.
    """
    with _writing(path), paths.replacing(path) as partial:
        partial.write_bytes(content)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        other = "set FER_RESULTS" if path.is_relative_to(paths.RESULTS) else "name another folder"
        remedy = f"make it writable, free space on the disk, or {other}"
        raise type(error)(f"cannot write {path} ({error.strerror}); {remedy}") from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file, and what to do, if its content cannot be read."""
    try:
        yield
    except (EOFError, ValueError, gzip.BadGzipFile, zlib.error) as error:
        remedy = "restore it from git, or move its folder away and train again"
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from error


def read(experiment: Experiment, table: str) -> pd.DataFrame:
    """Rows of the finished members in one of `TABLES`, or the maps; if missing, empty with columns seed and fold."""
    path = folder(experiment) / table
    if not path.exists():
        return pd.DataFrame(columns=["seed", "fold"])
    return _finished(_version(path), _version(folder(experiment) / "metrics.csv")).copy(deep=False)


def of_data_set(dataset: str, table: str) -> pd.DataFrame:
    """A table about the data set itself. Raises FileNotFoundError if notebook 00_data has not stored it."""
    file = paths.RESULTS / dataset / table
    if not file.exists():
        raise FileNotFoundError(f"no {file}; run notebook 00_data on {dataset} first")
    return _parsed(_version(file)).copy(deep=False)


Version = tuple[Path, int, int]
"""A file, and what changes with its content."""


def _version(path: Path) -> Version | None:
    if not path.exists():
        return None
    file = path.stat()
    return path, file.st_mtime_ns, file.st_size


# Pages read the same tables many times. What reads them gets a shallow copy, which pandas copies once it is changed.
@lru_cache(maxsize=512)
def _finished(table: Version, metrics: Version | None) -> pd.DataFrame:
    """The rows of a table whose members are in metrics.csv, or all of a table without members, such as the maps."""
    rows = _parsed(table)
    if table == metrics or "seed" not in rows:
        return rows
    done = _parsed(metrics)[["seed", "fold"]].itertuples(index=False, name=None) if metrics else ()
    members = pd.Series(zip(rows["seed"], rows["fold"], strict=True), index=rows.index, dtype=object)
    return rows[members.isin(set(done))]


@lru_cache(maxsize=512)
def _parsed(table: Version) -> pd.DataFrame:
    """The rows of a stored table. Frame and subject ids stay text, even ids such as 7 or nan."""
    path, *_ = table
    texts = {"frame_id": str, "subject": str}
    with _reading(path):
        rows = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=["nan"])
    return rows.fillna({name: "nan" for name in texts if name in rows})


def class_names(experiment: Experiment) -> list[str]:
    """Names of the experiment's classes, in label order."""
    columns = read(experiment, "predictions.csv.gz").columns
    return [name.removeprefix("p_") for name in columns if name.startswith("p_")]


def read_run(experiment: Experiment) -> dict | None:
    """Content of `run.json`; None before the first run."""
    path = folder(experiment) / "run.json"
    return _record(path) if path.exists() else None


def _record(path: Path) -> dict:
    with _reading(path):
        return json.loads(path.read_text())


def stored(dataset: str, experiment: str) -> Experiment:
    """A stored experiment with its finished members, whether or not `experiments.csv` lists it.

    Raises FileNotFoundError if it has no results.
    """
    file = paths.RESULTS / dataset / experiment / "run.json"
    if not file.exists():
        raise FileNotFoundError(f"no results {file}; train the experiment with notebook 01_train first")
    run = _record(file)
    found = Experiment(**{field.name: run[field.name] for field in fields(Experiment) if field.name in run})
    done = read(found, "metrics.csv")
    return replace(found, seeds=int(done["seed"].max()) + 1, folds=int(done["fold"].max()) + 1) if len(done) else found


def finished(experiment: Experiment) -> list[Member]:
    """The experiment's members whose training is finished."""
    done = set(read(experiment, "metrics.csv")[["seed", "fold"]].itertuples(index=False, name=None))
    return [member for member in experiment.members if (member.seed, member.fold) in done]


def some_finished(experiment: Experiment) -> list[Member]:
    """`finished`; raises FileNotFoundError if that is nobody."""
    if not (done := finished(experiment)):
        raise FileNotFoundError(f"no finished run in {folder(experiment)}; train one with 01_train")
    return done


def is_complete(experiment: Experiment, fingerprint: str) -> bool:
    """Whether every member is finished with exactly these parameters, on the data with this fingerprint."""
    run = read_run(experiment)
    return bool(run) and not conflicts(experiment, run, fingerprint) and finished(experiment) == experiment.members


def conflicts(experiment: Experiment, run: dict, fingerprint: str | None = None) -> list[str]:
    """Differences between the stored results' parameters and the requested ones; seeds and folds may always grow.

    Stored results that lack a parameter are older than it and count as having its default.
    """
    run = {field.name: field.default for field in fields(Experiment)} | run
    wanted = {**experiment.method, "method_version": METHOD_VERSION}
    if fingerprint:
        wanted["data_fingerprint"] = fingerprint
    return [f"{k} is {run.get(k)!r} there, {v!r} here" for k, v in wanted.items() if run.get(k) != v]


def open_folder(experiment: Experiment, fingerprint: str, device: str) -> None:
    """Create the folder and its `run.json`.

    Raises ValueError if it holds results or checkpoints of other parameters or data, or without `run.json`, which stay
    unchanged. What a start left there that failed before its first checkpoint is replaced.
    """
    run, place = read_run(experiment), folder(experiment)
    left = next((file.name for name in ("metrics.csv", "checkpoint-*.pt") for file in place.glob(name)), None)
    if left and not run:
        raise ValueError(f"{place} holds {left}, but no run.json says what of; restore that, or move the folder away")
    if run and (run["members"] or left):
        different = conflicts(experiment, run, fingerprint)
        if different:
            raise ValueError(
                f"{place} holds results of other parameters or data ({'; '.join(different)}); "
                "give the experiment another name or move that folder away"
            )
        return
    write_run(experiment, {**setting(experiment, fingerprint), **provenance(), "device": device, "members": {}})


def setting(experiment: Experiment, fingerprint: str) -> dict:
    """All that results depend on but the machine: parameters, version of the method, and the data's fingerprint."""
    return {**experiment.method, "method_version": METHOD_VERSION, "data_fingerprint": fingerprint}


def provenance() -> dict:
    """Versions that produce a result: Python, packages and commit."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "versions": versions, "commit": _commit()}


def write_run(experiment: Experiment, record: dict) -> None:
    """Replace `run.json`."""
    write_json(folder(experiment) / "run.json", record)


def add_member(experiment: Experiment, member: Member, tables: dict[str, pd.DataFrame], timing: dict) -> None:
    """Add a finished member's rows to the experiment's tables, sorted by seed and fold.

    Its timing goes into `run.json`, with the provenance of now unless `timing` has that of its training; members added
    at different times may have different versions.
    """
    record = read_run(experiment)
    record["members"][str(member)] = provenance() | timing
    record["members"] = dict(sorted(record["members"].items()))
    write_run(experiment, record)
    for name in TABLES:
        old = read(experiment, name)
        others = old[(old["seed"] != member.seed) | (old["fold"] != member.fold)]
        new = tables[name]
        new = pd.concat([pd.DataFrame({"seed": member.seed, "fold": member.fold}, index=new.index), new], axis=1)
        merged = pd.concat([others, new]) if len(others) else new
        merged = merged.sort_values(["seed", "fold"], kind="stable")
        write_csv(folder(experiment) / name, merged)


def write_json(path: Path, record: dict) -> None:
    """Write a record as JSON, one entry per line."""
    write(path, (json.dumps(record, indent=1) + "\n").encode())


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table at full precision, NaN as nan; gzip-compressed if the name ends in .gz."""
    write(path, _csv(table, compress=path.suffix == ".gz"))


def _csv(table: pd.DataFrame, compress: bool) -> bytes:
    text = table.to_csv(index=False, na_rep="nan", lineterminator="\n").encode()
    return gzip.compress(text, mtime=0) if compress else text


def _commit() -> str:
    """The current commit, with "-dirty" if a tracked file outside results/ differs from it.

    "unknown" outside a git checkout.
    """
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results")
        return f"{commit}-dirty" if changed else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*words: str) -> str:
    command = ["git", "-C", str(paths.ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
