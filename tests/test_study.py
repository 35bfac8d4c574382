"""The study as its users run it: the notebooks, the graph from training to pages, and the files that describe it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import distributions
from pathlib import Path

import nbformat
import numpy as np
import papermill
import pytest
import yaml
from links import Links
from packaging.requirements import Requirement
from PIL import Image
from safetensors.torch import save_file

from fer_lib import occlusion_scores, paths, readme
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.faces import EMOTIONS
from fer_lib.findings import gains
from fer_lib.pages import PAGES, STUDY_ONLY
from fer_lib.training import network_for

NOTEBOOKS = {
    "index",
    "00_data",
    "01_train",
    "02_table",
    "03_occlusion",
    "04_embeddings",
    "05_attention",
    "06_audit",
    "07_speed",
    "08_fer2013",
    "09_recipe",
    "10_fer2013_networks",
    "11_transfer",
}
OF_CKPLUS = "random-resnet10-strong"
OF_FER2013 = ("usage-resnet10-softmax", "usage-resnet10-softmax-no-occlusion")
TINY = """\
random-resnet18-softmax,synthetic,random,1,1,resnet18,plain,1,1.0,softmax,random,1.0,False,knn,rectangle,paper,none,label,1,50,0.001
random-resnet10-triplet-slow-stn,synthetic,random,2,1,resnet10,stn,1,0.1,triplet,random,1.0,False,knn,rectangle,paper,none,label,1,50,0.001
subject-resnet10-softmax,synthetic,subject,1,2,resnet10,stn,1,1.0,softmax,random,1.0,False,knn,rectangle,paper,none,label,1,50,0.001
subject-resnet10-strong,synthetic,subject,1,1,resnet10,stn,1,0.1,softmax,random,1.0,False,knn,mixed,strong,none,label,1,50,0.001
subject-resnet10-transfer,synthetic,subject,1,1,resnet10,stn,1,0.1,softmax,random,1.0,False,knn,mixed,strong,usage-resnet10-strong,label,1,50,0.001
"""
"""The last cannot start, for the networks whose weights it begins with are nowhere."""


def test_notebooks_are_stored_clean_and_thin():
    found = {file.stem for file in paths.NOTEBOOKS.glob("*.ipynb")}
    assert found == NOTEBOOKS
    files = [paths.NOTEBOOKS / f"{name}.ipynb" for name in sorted(found)]
    assert subprocess.run([sys.executable, "-m", "nbstripout", "--verify", *files]).returncode == 0
    for file in files:
        code = [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in code), f"{file} is stored with outputs"
        # A parameter is a line, however many there are.
        thin = [cell for cell in code if "parameters" not in cell.metadata.get("tags", [])]
        assert max(len(cell.source.splitlines()) for cell in thin) <= 20
        assert not any(re.search(r"^\s*(class|def) ", cell.source, re.MULTILINE) for cell in code)
        unexplained = [name for name, p in papermill.inspect_notebook(file).items() if not p["help"]]
        assert not unexplained
    assert set(PAGES) <= found


def test_lock_pyproject_and_environment_agree():
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["test"]]
    lock = (paths.ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==([^ \\;]+)", lock, re.MULTILINE)
    for requirement in wanted:
        versions = [version for name, version in pins if name == requirement.name]
        assert versions, f"{requirement.name} is not locked"
        assert all(version in requirement.specifier for version in versions)
    assert lock.count("--hash=sha256:") > len(pins)
    assert "://" not in lock and "index-url" not in lock
    environment = yaml.safe_load((paths.ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert python == f"python {project['requires-python']}"
    assert pip == "pip"
    assert packages["pip"] == ["--require-hashes", "-r requirements.lock"]


def test_the_lock_names_the_extras_that_a_package_is_required_with():
    """Without them pip takes the newest version of that package, and refuses it once it is not the locked one."""
    lock = (paths.ROOT / "requirements.lock").read_text()
    named = {name: extras.split(", ") for name, extras in re.findall(r"^([a-z0-9._-]+)\[(.*)\]==", lock, re.MULTILINE)}
    required = [Requirement(text) for package in distributions() for text in package.requires or []]
    required = [one for one in required if one.extras and (one.marker is None or one.marker.evaluate({"extra": ""}))]
    assert {"jsonschema", "bleach"} <= {one.name for one in required}
    for one in required:
        assert one.extras <= set(named.get(one.name, ())), f"{one} is locked without its extras"


def snakemake(place, datasets="synthetic", expected=0, *options):
    results, experiments = place / "results", place / "experiments.csv"
    header, *listed = paths.EXPERIMENTS.read_text().splitlines()
    of_others = [line for line in listed if ",fer2013," in line or ",own," in line or line.startswith(f"{OF_CKPLUS},")]
    experiments.write_text("\n".join([header, TINY.rstrip(), *of_others, ""]))
    command = [
        Path(sys.executable).parent / "snakemake",
        "-s",
        paths.ROOT / "Snakefile",
        "-d",
        place,
        "--cores",
        "2",
        "--rerun-triggers",
        "mtime",
    ]
    command += ["--nolock", *options, "--config", f"datasets={datasets}"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    places = {"FER_RESULTS": str(results), "FER_EXPERIMENTS": str(experiments), "FER_DATA": str(place), "PATH": path}
    run = subprocess.run(command, env={**os.environ, **places}, capture_output=True, text=True)
    assert run.returncode == expected, run.stderr[-5000:]
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The practice run, made smaller: four experiments of one epoch; of the networks on FER2013 two are there."""
    place = tmp_path_factory.mktemp("a study")
    others = shutil.ignore_patterns(*(row.experiment for row in read_experiments() if row.experiment not in OF_FER2013))
    shutil.copytree(paths.ROOT / "results" / "fer2013", place / "results" / "fer2013", ignore=others)
    snakemake(place)
    return place


def test_every_page_is_rendered_and_asks_nothing_of_the_network(study):
    folder = study / "results" / "reports" / "synthetic"
    assert {file.stem for file in folder.glob("*.html")} == set(PAGES) - set(STUDY_ONLY)
    for file in folder.glob("*.html"):
        text = file.read_text()
        page = Links(text)
        assert "Practice run" in text
        assert "Traceback" not in text
        assert str(study) not in text and str(paths.ROOT) not in text
        assert all(address.startswith("data:") for address in page.loaded)
        local = [link for link in page.links if link.endswith(".html") and not link.startswith("../")]
        assert local and all((folder / link).exists() for link in local)
        assert {f"../{name}.html" for name in STUDY_ONLY} <= set(page.links)


def test_the_table_says_what_the_results_say(study):
    text = (study / "results" / "reports" / "synthetic" / "02_table.html").read_text()
    metrics = (study / "results" / "synthetic" / "random-resnet18-softmax" / "metrics.csv").read_text().splitlines()
    accuracy = float(dict(zip(metrics[0].split(","), metrics[1].split(","), strict=True))["accuracy"])
    assert f">{100 * accuracy:.2f}<" in text


def test_a_second_run_trains_and_renders_nothing(study):
    files = {file: file.stat().st_mtime_ns for file in (study / "results").rglob("*") if file.is_file()}
    said = snakemake(study)
    assert "Nothing to be done" in said
    assert "synthetic subject-resnet10-transfer is not trained: no results " in said
    assert {file: file.stat().st_mtime_ns for file in (study / "results").rglob("*") if file.is_file()} == files


def test_what_was_lost_is_made_again(study):
    page = study / "results" / "reports" / "synthetic" / "index.html"
    before = page.read_bytes()
    page.unlink()
    plan = snakemake(study)
    assert "train_" not in plan
    assert page.read_bytes() == before


@pytest.mark.parametrize(
    ("dataset", "message"), [("ckplus", "no CK+ in"), ("affectnet", "unknown data set 'affectnet'")]
)
def test_absent_data_is_one_sentence(tmp_path, dataset, message):
    said = snakemake(tmp_path, dataset, expected=1)
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()


def test_what_is_damaged_is_one_sentence(tmp_path):
    file = tmp_path / "results" / "synthetic" / "random-resnet18-softmax" / "run.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    said = snakemake(tmp_path, expected=1)
    assert said.startswith(f"{file} is damaged") and len(said.splitlines()) == 1


def test_faces_of_ones_own_are_trained_on_and_have_pages(tmp_path):
    for person in range(10):
        for emotion in ("fear", "sad"):
            file = tmp_path / "own" / emotion / f"P{person}_{emotion}_1.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((48, 48), 2 * person + (emotion == "sad"), np.uint8)).save(file)
    shutil.copytree(paths.ROOT / "results" / "ckplus" / OF_CKPLUS, tmp_path / "results" / "ckplus" / OF_CKPLUS)
    plan = snakemake(tmp_path, "own", 0, "--dry-run")
    assert set(re.findall(r"rule train_own_(\S+):", plan)) == {
        "random-resnet10-softmax", "subject-resnet10-softmax", "subject-resnet10-triplet-slow-stn",
        "subject-resnet10-strong",
    }  # fmt: skip
    pages = set(re.findall(r"reports/own/(\w+)\.html", plan))
    assert {"index", "00_data", "02_table", "03_occlusion", "09_recipe"} <= pages
    assert not re.findall(r"reports/\w+\.html", plan), "the study's own pages are not rendered again"


def test_the_command_without_jupyter_says_what_is_wrong():
    command = [sys.executable, "-m", "fer_lib.run", "ckplus", "vit"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("no experiment 'vit' of ckplus") and len(run.stderr.splitlines()) == 1


def test_an_unknown_parameter_stops_the_notebook(tmp_path):
    given = {"experiment": "mistyped", "epoch": 3}
    with pytest.raises(papermill.PapermillExecutionError, match="unknown parameter 'epoch'; did you mean 'epochs'"):
        papermill.execute_notebook(
            paths.NOTEBOOKS / "01_train.ipynb", tmp_path / "out.ipynb", given, progress_bar=False
        )
    assert not (paths.RESULTS / "synthetic" / "mistyped").exists()


def test_nothing_that_is_stored_shows_a_face_that_may_not_be_shown():
    tracked = subprocess.run(["git", "ls-files"], cwd=paths.ROOT, capture_output=True, text=True).stdout.split()
    if not tracked:
        pytest.skip("this is no git checkout")
    assert not [name for name in tracked if re.search(r"\.(png|jpe?g|zip|pt)$", name)]
    assert [name for name in tracked if name.startswith("data/")] == ["data/README.md"]
    for name in tracked:
        if name.endswith("run.json") and not name.startswith("results/speed/"):
            assert json.loads((paths.ROOT / name).read_text())["dataset"] != "synthetic"


def test_the_readme_says_what_the_results_say():
    text, parts = (paths.ROOT / "README.md").read_text(), gains.table(readme.DATASET)
    assert readme.with_results(text, readme.results_text(parts)) == text, "run python -m fer_lib.readme"
    for name, drawn in readme.pictures(parts).items():
        assert (readme.REPORTS / name).read_text() == drawn, "run python -m fer_lib.readme"


def test_the_readme_counts_the_runs():
    text = (paths.ROOT / "README.md").read_text()
    counts = Counter()
    for row in read_experiments():
        counts[row.dataset] += len(row.members)
    said = (
        f"CK+ has {counts['ckplus']} runs",
        f"FER2013 has {counts['fer2013']} runs",
        f"FERPlus has {counts['ferplus']} runs",
    )
    assert not [one for one in said if one not in text]


def test_the_readme_has_a_place_for_every_module():
    text = (paths.ROOT / "README.md").read_text()
    modules = {file.stem for file in (paths.ROOT / "fer_lib").rglob("*.py")} - {"__init__"}
    assert not [name for name in modules if f"`{name}`" not in text]


def test_every_file_that_a_text_names_exists():
    texts = [*paths.NOTEBOOKS.glob("*.ipynb"), *(paths.ROOT / "fer_lib").rglob("*.py"), paths.ROOT / "README.md"]
    named = {
        name for text in texts for name in re.findall(r"\b(?:fer_lib|notebooks|tests)/[\w/]+\.\w+", text.read_text())
    }
    assert len(named) > 1 and not [name for name in named if not (paths.ROOT / name).exists()]


def test_the_readmes_examples_run(capsys, tmp_path, monkeypatch):
    *examples, of_a_photo = re.findall(r"```python\n(.*?)```", (paths.ROOT / "README.md").read_text(), re.DOTALL)
    names = {}
    for example in examples:
        exec(compile(example, "README.md", "exec"), names)
    network = network_for(Experiment("shipped", loss="softmax"), 7)
    header = {"experiment": json.dumps(Experiment("shipped", loss="softmax").method), "classes": json.dumps(EMOTIONS)}
    save_file(network.state_dict(), tmp_path / "shipped.safetensors", header)
    Image.new("RGB", (90, 60)).save(tmp_path / "face.png")
    monkeypatch.chdir(tmp_path)
    exec(compile(re.sub(r'"shipped/.*"', '"shipped.safetensors"', of_a_photo), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert not [name for name in occlusion_scores.REPORTED if name not in printed]
    assert "salt and pepper" in printed and re.search(r"\bseen\b", printed)
    assert all(f"'{name}': " in printed for name in EMOTIONS), "of the photo"
    probabilities = names["predict"](names["data"].images[:2])
    assert probabilities.shape == (2, 7) and np.allclose(probabilities.sum(axis=1), 1)
