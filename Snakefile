"""Workflow of the study: train missing experiments, then render every page whose inputs have changed.

    snakemake --config datasets=synthetic,ckplus

`datasets` names the data sets to train on. Pages that need only results are rendered for CK+, from the committed results,
whichever data set is named but `own`; pages that need images only if their data set is named.
"""

import hashlib
import json
import sys
from dataclasses import asdict

from fer_lib import faces, machine, paths, results
from fer_lib.words import naming
from fer_lib.experiments import read_experiments
from fer_lib.run import check

DATASETS = config.get("datasets", "synthetic").split(",")
REPORTS = paths.RESULTS / "reports"
FROM_RESULTS = ("02_table", "03_occlusion", "04_embeddings", "05_attention", "06_audit", "09_recipe", "index")
FROM_REFERENCES = {"02_table", "03_occlusion", "05_attention", "06_audit", "11_transfer", "index"}
FROM_STORED = {
    "07_speed": "speed/*/*.*",
    "08_fer2013": "fer2013/*.*",
    "10_fer2013_networks": "fer2013/*.*",
    "11_transfer": "transfer/*.*",
}
FROM_DATA = "00_data"

# Hides what is normal: the kernel's warning about unencrypted TCP, on the loopback interface, and the interrupt by which
# Jupyter ends it.
PAPERMILL = (
    "papermill {params.notebook:q} {log:q} -y {params.given:q} --no-progress-bar --log-level WARNING --start-timeout 300"
    " 2> >(grep -vE 'IPKernelApp. (WARNING|ERROR . KeyboardInterrupt caught in kernel)' >&2)"
)


def can_start(row):
    """Whether a row's training can start; if not, says why. The pages are made without it."""
    try:
        check(row, data[row.dataset])
    except (OSError, ValueError) as error:
        print(f"{row.dataset} {row.experiment} is not trained: {error}", file=sys.stderr)
        return False
    return True


def key(row):
    return hashlib.sha256(json.dumps(asdict(row)).encode()).hexdigest()[:12]


def trained(row):
    return results.folder(row) / f".trained-{key(row)}"


def noted(dataset):
    """A file that is rewritten if the data set has changed."""
    file = REPORTS / ".executed" / dataset / "fingerprint.txt"
    if not file.exists() or file.read_text() != fingerprints[dataset]:
        results.write(file, fingerprints[dataset].encode())
    return file


def page_inputs(dataset, page):
    """All inputs of a page; `.venv/.installed` represents the locked packages."""
    real = dict.fromkeys((FROM_DATA, "07_speed", "08_fer2013"), ())  # these read no experiment
    real |= {"10_fer2013_networks": faces.OF_FER2013, "index": (dataset, "fer2013"), "11_transfer": ("ckplus",)}
    shown = real.get(page, (dataset,))
    own = [row for row in rows if row.dataset in shown]
    files = [paths.NOTEBOOKS / f"{page}.ipynb", paths.EXPERIMENTS, *sorted(paths.NOTEBOOKS.glob("published*.csv"))]
    files += sorted(paths.ROOT.glob("fer_lib/**/*.py")) + sorted(paths.ROOT.glob("fer_lib/report_template/**/*.*"))
    files += paths.ROOT.glob(".venv/.installed")
    stored = "11_transfer" if page == "index" else page  # the overview says its accuracies on the other data set
    files += paths.RESULTS.glob(FROM_STORED[stored]) if stored in FROM_STORED else []
    files += [file for row in own for name in (*results.TABLES, "run.json") if (file := results.folder(row) / name).exists()]
    if page == "index":
        files += sorted(paths.NOTEBOOKS.glob("*.ipynb"))  # it asks their questions
    if page in FROM_REFERENCES and dataset in DATASETS:
        files.append(pages[dataset, FROM_DATA][0])  # its notebook computes references, landmarks and mean faces
    if page == FROM_DATA:
        files.append(noted(dataset))
    return files + [trained(row) for row in own if row in missing]


def has(rows):
    """Whether one of the rows is trained or about to be."""
    return any(row in missing or results.finished(row) for row in rows)


def can_be_made(page, dataset):
    """Whether the stored results that a page needs exist; True for pages without a condition."""
    if page == "10_fer2013_networks":
        return has(row for row in rows if (row.dataset, row.protocol) == ("fer2013", "usage"))
    if page == "11_transfer":
        tuned = has(row for row in rows if row.dataset == "ckplus" and row.protocol == "subject" and row.pretrained == naming.USUAL_START)
        return dataset == "ckplus" and tuned and (paths.RESULTS / "transfer").exists()
    return True


def pages_of(dataset, folder, *named):
    """(dataset, page) -> output file and parameters."""
    stored = [page for page in FROM_STORED if can_be_made(page, dataset)]
    given = {page: {"dataset": dataset} for page in named} | {page: {} for page in stored}
    return {(dataset, page): (folder / f"{page}.html", parameters) for page, parameters in given.items()}


try:
    rows = read_experiments()
    data = {dataset: faces.load(dataset) for dataset in DATASETS}
    fingerprints = {dataset: loaded.fingerprint for dataset, loaded in data.items()}
    # The content of the results decides whether an experiment is done, not file times, which a clone does not preserve.
    # Results of other data than the current ones count as missing; training then refuses with a message.
    asked = [row for row in rows if row.dataset in DATASETS]
    missing = [row for row in asked if not results.is_complete(row, fingerprints[row.dataset]) and can_start(row)]
    pages = {}
    # One's own faces change none of the study's pages.
    if DATASETS != ["own"] and any(results.finished(row) for row in rows if row.dataset == "ckplus"):
        pages = pages_of("ckplus", REPORTS, *FROM_RESULTS)
    for dataset, folder in (("ckplus", REPORTS), ("synthetic", REPORTS / "synthetic"), ("own", REPORTS / "own")):
        if dataset in DATASETS:
            pages |= pages_of(dataset, folder, FROM_DATA, *FROM_RESULTS)
    inputs = {page: page_inputs(*page) for page in pages}
    for row in missing:
        trained(row).unlink(missing_ok=True)
except (OSError, ValueError) as error:
    sys.exit(str(error))


rule study:
    input:
        [html for html, _ in pages.values()],
        [trained(row) for row in missing],


for row in missing:

    rule:
        name: f"train_{row.dataset}_{row.experiment}"
        output: touch(trained(row))
        params:
            notebook=paths.NOTEBOOKS / "01_train.ipynb",
            given=json.dumps(asdict(row)),
            what=f"{row.dataset} {row.experiment}",
        log: results.folder(row) / "executed.ipynb"
        # A CPU trains one experiment on all cores; a GPU up to four at once, so that it is used while one is evaluated.
        threads: workflow.cores if machine.device() == "cpu" else -(-workflow.cores // 4)
        shell: "echo train {params.what}; " + PAPERMILL


for (dataset, page), (html, given) in pages.items():

    rule:
        name: f"page_{dataset}_{page}"
        input: inputs[dataset, page]
        # update(): the old page is kept while its notebook runs, and if it fails.
        output: update(html)
        params:
            notebook=paths.NOTEBOOKS / f"{page}.ipynb",
            given=json.dumps(given),
            dataset=dataset,
        log: REPORTS / ".executed" / dataset / f"{page}.ipynb"
        # Before hours of training, for it shows whether the faces are read as they should be.
        priority: 1 if page == FROM_DATA else 0
        shell:
            "echo render {output:q}; " + PAPERMILL + " && python -m fer_lib.pages {log:q} {output:q} --dataset {params.dataset}"
