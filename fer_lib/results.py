"""One experiment's folder, `results/<dataset>/<experiment>/`: what is in it, what is missing, how it grows.

Every file is written to a temporary name and renamed. `metrics.csv` is written last: a member is finished when it has
a row there, whatever else a killed run has left.
"""

import fcntl
import gzip
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from fer_lib import paths
from fer_lib.experiments import Experiment, Member

METHOD_VERSION = 1
"""Raised when a change to the code changes what training computes; results of another version are never mixed."""

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
    """Where the experiment's results are."""
    return paths.RESULTS / experiment.dataset / experiment.experiment


@contextmanager
def alone(experiment: Experiment) -> Iterator[None]:
    """Keep other processes from training into the experiment's folder meanwhile; a killed one keeps nobody out.

    Raises ValueError if another trains there, OSError if the place cannot be written.
    """
    file = folder(experiment) / ".lock"
    with _writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process trains into {file.parent}; wait for it, or stop it") from None
        yield


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises PermissionError or another OSError with the path and the remedy if the place cannot be written.
    """
    with _writing(path), paths.replacing(path) as partial:
        partial.write_bytes(content)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise type(error)(f"cannot write {path} ({error.strerror}); make it writable or set FER_RESULTS") from error


def read(experiment: Experiment, table: str) -> pd.DataFrame:
    """A table, one of `TABLES` or the maps, at full precision, of the finished members; without any, seed and fold."""
    path = folder(experiment) / table
    if not path.exists():
        return pd.DataFrame(columns=["seed", "fold"])
    rows = _read_csv(path)
    if table == "metrics.csv" or "seed" not in rows:  # maps are of the experiment, not of its members
        return rows
    done = read(experiment, "metrics.csv")[["seed", "fold"]].itertuples(index=False, name=None)
    members = pd.Series(zip(rows["seed"], rows["fold"], strict=True), index=rows.index, dtype=object)
    return rows[members.isin(set(done))]


def of_data_set(dataset: str, table: str) -> pd.DataFrame:
    """A table about a data set itself. Raises FileNotFoundError if notebook 00_data has not stored it."""
    file = paths.RESULTS / dataset / table
    if not file.exists():
        raise FileNotFoundError(f"no {file}; run notebook 00_data on {dataset} first")
    return _read_csv(file)


def _read_csv(path: Path) -> pd.DataFrame:
    """A table as `write_csv` stored it; a page asks for the same one many times."""
    file = path.stat()
    return _parsed(path, file.st_mtime_ns, file.st_size).copy()


@lru_cache(maxsize=64)
def _parsed(path: Path, *version: int) -> pd.DataFrame:
    """The table as long as the file stays as it is; a frame or a person may be called anything, also 7 or nan."""
    texts = {"frame_id": str, "subject": str}
    rows = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=["nan"])
    return rows.fillna({name: "nan" for name in texts if name in rows})


def class_names(experiment: Experiment) -> list[str]:
    """The names of the experiment's classes, in the order of their labels."""
    columns = read(experiment, "predictions.csv.gz").columns
    return [name.removeprefix("p_") for name in columns if name.startswith("p_")]


def read_run(experiment: Experiment) -> dict | None:
    """The content of `run.json`, None before the first run."""
    path = folder(experiment) / "run.json"
    return json.loads(path.read_text()) if path.exists() else None


def stored(dataset: str, experiment: str) -> Experiment:
    """An experiment that was run, with its finished members, whether `experiments.csv` lists it or not.

    Raises FileNotFoundError if there are no such results.
    """
    file = paths.RESULTS / dataset / experiment / "run.json"
    if not file.exists():
        raise FileNotFoundError(f"no results {file}; train the experiment with notebook 01_train first")
    run = json.loads(file.read_text())
    found = Experiment(**{field.name: run[field.name] for field in fields(Experiment) if field.name in run})
    done = read(found, "metrics.csv")
    return replace(found, seeds=int(done["seed"].max()) + 1, folds=int(done["fold"].max()) + 1) if len(done) else found


def finished(experiment: Experiment) -> list[Member]:
    """The members of this experiment that need no training any more."""
    done = set(read(experiment, "metrics.csv")[["seed", "fold"]].itertuples(index=False, name=None))
    return [member for member in experiment.members if (member.seed, member.fold) in done]


def is_complete(experiment: Experiment, fingerprint: str) -> bool:
    """Whether every member is finished under these very parameters, on the faces of this fingerprint."""
    run = read_run(experiment)
    return bool(run) and not conflicts(experiment, run, fingerprint) and finished(experiment) == experiment.members


def conflicts(experiment: Experiment, run: dict, fingerprint: str | None = None) -> list[str]:
    """In what the results in the folder differ from what is asked for; seeds and folds may always grow.

    Results that do not name a parameter are older than it, and had its default.
    """
    run = {field.name: field.default for field in fields(Experiment)} | run
    wanted = {**experiment.method, "method_version": METHOD_VERSION}
    if fingerprint:
        wanted["data_fingerprint"] = fingerprint
    return [f"{k} is {run.get(k)!r} there, {v!r} here" for k, v in wanted.items() if run.get(k) != v]


def open_folder(experiment: Experiment, fingerprint: str, device: str) -> None:
    """Make the folder and its `run.json`.

    Raises ValueError if it holds the results of something else; they are left as they are.
    """
    run = read_run(experiment)
    if run:
        different = conflicts(experiment, run, fingerprint)
        if different:
            raise ValueError(
                f"{folder(experiment)} holds the results of something else ({'; '.join(different)}); "
                "give the experiment another name or move that folder away"
            )
        return
    record = {
        **experiment.method,
        "method_version": METHOD_VERSION,
        "data_fingerprint": fingerprint,
        **provenance(),
        "device": device,
        "members": {},
    }
    write_run(experiment, record)


def provenance() -> dict:
    """With what a result is made: Python, packages, commit."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "versions": versions, "commit": _commit()}


def write_run(experiment: Experiment, record: dict) -> None:
    """Replace `run.json`."""
    write_json(folder(experiment) / "run.json", record)


def add_member(experiment: Experiment, member: Member, tables: dict[str, pd.DataFrame], timing: dict) -> None:
    """Add a finished member's rows to the experiment's tables, in order of members.

    `run.json` gets its timing and with what it was made, which for members that were added later may be other versions.
    """
    record = read_run(experiment)
    record["members"][str(member)] = timing | provenance()
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
    """Store a record, a line an entry."""
    write(path, (json.dumps(record, indent=1) + "\n").encode())


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Store a table at full precision, NaN as nan; compressed if the name ends in gz."""
    write(path, _csv(table, compress=path.suffix == ".gz"))


def _csv(table: pd.DataFrame, compress: bool) -> bytes:
    text = table.to_csv(index=False, na_rep="nan", lineterminator="\n").encode()
    return gzip.compress(text, mtime=0) if compress else text


def _commit() -> str:
    """The commit that made the results, "-dirty" where a tracked file outside results/ differs from it.

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
