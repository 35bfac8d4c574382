"""The overview beside its answers: three figures, and where to read on.

Everything is made by the functions of the other pages, from `results/`; nothing is measured here.
"""

import textwrap

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
from IPython.display import HTML
from matplotlib.ticker import PercentFormatter

from fer_lib import paths, report
from fer_lib.experiments import Experiment
from fer_lib.figures import audit_plots, occlusion_plots, plots
from fer_lib.findings import audit, followed, views
from fer_lib.measures import references
from fer_lib.occlusion_scores import SCORES
from fer_lib.pages import PAGES, address
from fer_lib.words import answers, naming

FIGURE = {"figsize": (3.5, 3.1)}


def three_figures(dataset: str, arms: pd.DataFrame) -> HTML:
    """What the split gives away, what occlusion takes, how far the STN's view moves.

    arms: rows of `tables.accuracy_table`.
    """
    moves = [stn(dataset)] if len(views.moved(dataset)) else []
    return report.side_by_side([split(dataset, arms), occlusion(dataset), *moves])


def split(dataset: str, arms: pd.DataFrame) -> tuple[str, HTML]:
    """Title and figure: accuracy where frames, sequences or subjects are split, of networks and references."""
    rungs = audit.ladder(dataset, arms)
    rungs = pd.concat([rungs[rungs["method"] == name] for name in (*followed.labels(), *references.METHODS[1:])])
    with plt.rc_context(plots.STYLE):
        fig, ax = plt.subplots(**FIGURE)
        audit_plots.protocol_ladder(ax, rungs.assign(method=rungs["method"].map(followed.short)))
        printed = naming.printed(Experiment("proposed", dataset=dataset))
        if pd.notna(printed):
            ax.plot(-0.25, printed, "D", markerfacecolor="none", color=plots.INK, label="triplet, printed")
        ax.set_xticks(range(3), ["frames,\nas the paper", "sequences", "subjects"])
        ax.set(xlabel="", ylabel="accuracy")
        fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", ncols=2, fontsize=8)
    n = {followed.short(name): ", ".join(own["n"].astype(str)) for name, own in rungs.groupby("method", sort=False)}
    caption = (
        "Accuracy by protocol, with 95 % intervals: over splits, and for subjects over resampled subjects. n, from "
        f"left to right: {_listed(n)}."
    )
    alt = "; ".join(f"{row.method}, {row.protocol}: {row.mean:.1%}" for row in rungs.itertuples())
    return "What does the split give away?", report.figure(fig, caption, alt, rungs)


def occlusion(dataset: str) -> tuple[str, HTML]:
    """Title and figure: accuracy on clear and on covered faces."""
    protocol, table = followed.under_occlusion(dataset)
    by_arm = dict(list(table.groupby("label", sort=False)))
    with plt.rc_context(plots.STYLE):
        fig, ax = plt.subplots(**FIGURE)
        arms = {followed.short(name): own.rename(columns={"score": "kind"}) for name, own in by_arm.items()}
        occlusion_plots.kinds(ax, arms).set_xlabel("accuracy")
        ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
        fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", fontsize=8)
    n = {followed.short(name): own["members"].iloc[0] for name, own in by_arm.items()}
    over = "subjects resampled" if protocol == "subject" else "over runs"
    caption = (
        f"Protocol {protocol}: accuracy with 95 % intervals, {over}; unseen: "
        f"{len(SCORES['unseen'])} occlusions. Runs: {_listed(n)}."
    )
    alt = "; ".join(f"{row.label}, {row.score}: {row.mean:.1%}" for row in table.itertuples())
    return "What does occlusion take?", report.figure(fig, caption, alt, table)


def stn(dataset: str) -> tuple[str, HTML]:
    """Title and figure: how far the STN's view moves when a rectangle covers the face."""
    protocol, table = followed.least_exposed(views.moved(dataset))
    with plt.rc_context(plots.STYLE):
        fig, ax = plt.subplots(**FIGURE)
        names = [textwrap.fill(followed.short(name), 16) for name in table["label"]]
        occlusion_plots.moved(ax, table.assign(label=names))
        fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", fontsize=8)
    names = table["label"].map(followed.short)
    means = "; ".join(f"{name}: {mean:.2f} pixels" for name, mean in zip(names, table["mean"], strict=True))
    caption = (
        f"Protocol {protocol}: how far the view's corners move when the face is covered; mean, and the middle 95 % of "
        "the test frames of all runs that did not collapse. "
        f"Frames: {_listed(dict(zip(names, table['frames'], strict=True)))}."
    )
    return "How far does the STN's view move?", report.figure(fig, caption, means, table)


def read_on(dataset: str) -> str:
    """A link to every other page with its question, as a list in Markdown, and the answers that are not told above."""
    said = answers.of_each_page()
    links = [
        f"- [{title}]({address(page, dataset)}): {_question(page)} {said.get(page, '')}".rstrip()
        for page, title in PAGES.items()
    ]
    return "\n".join(links[1:])


def _question(page: str) -> str:
    notebook = nbformat.read(paths.NOTEBOOKS / f"{page}.ipynb", as_version=4)
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def _listed(values: dict) -> str:
    return "; ".join(f"{value} ({name})" for name, value in values.items())
