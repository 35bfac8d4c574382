"""Export a trained network: a safetensors file with the weights, metadata in its header, and a model card.

    python -m fer_lib.export fer2013 usage-resnet10-strong-short some/folder

safetensors holds numbers and text only: unlike a pickle, opening someone else's file cannot run their code.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch.nn.functional import softmax

from fer_lib import results
from fer_lib.evaluation import embed
from fer_lib.experiments import Experiment, Member
from fer_lib.faces import OF_FER2013
from fer_lib.findings.robustness import right
from fer_lib.network import parameter_count
from fer_lib.occlusion_scores import SCORES
from fer_lib.probabilities import faces_for
from fer_lib.stats import RESAMPLED, cluster_ratio
from fer_lib.training import network_for, to_float
from fer_lib.weights import load_network
from fer_lib.words.naming import label
from fer_lib.words.rounding import percent, with_ends
from fer_lib.words.wording import SPLITS

LICENCES = {
    "ckplus": "CK+ is given out for research under a user agreement. Ask its owners before you pass on these weights.",
    "fer2013": "FER2013's images belong to whoever took them; they were collected, and may be used, for research. No "
    "image is in this file.",
    "own": "The faces are your own collection: ask who is on them before you pass on these weights.",
    "synthetic": "The faces were drawn by a program of this repository; nobody's picture is in them.",
}
"""What the data sets' licences ask of anyone who passes the weights on."""


class Classifier:
    """An exported network: uint8 (N, 48, 48) -> probabilities (N, K), in the order of `classes`.

    experiment: how it was trained. Raises ValueError if the file was not written by `export`.
    """

    def __init__(self, file: Path):
        try:
            with safe_open(file, framework="pt") as stored:
                header = stored.metadata() or {}
                weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no dict
            self.experiment = Experiment(**json.loads(header["experiment"]))
            self.classes = tuple(json.loads(header["classes"]))
            self.network = network_for(self.experiment, len(self.classes)).eval()
            self.network.load_state_dict(weights)
        except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
            raise ValueError(f"{file} was not written by fer_lib.export ({error})") from error

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities, float64 (N, K). Raises ValueError unless the images are uint8 (N, 48, 48)."""
        images = to_float(faces_for("the classifier", images), "cpu")
        return softmax(torch.from_numpy(embed(self.network, images)).double(), dim=1).numpy()


def export(experiment: Experiment, member: Member, target: Path) -> Path:
    """Write `<experiment>-<member>.safetensors` and its card (`.md`) to the folder `target`; returns the former's path.

    Raises FileNotFoundError if the weights are not on this machine, ValueError after triplet training.
    """
    if experiment.loss == "triplet":
        raise ValueError(
            f"{experiment.experiment} classifies by its training faces' embeddings (classifier "
            f"{experiment.classifier!r}), which the weights do not contain; export one with softmax or joint loss"
        )
    classes = results.class_names(experiment)
    weights = load_network(experiment, member, len(classes)).state_dict()
    header = {"experiment": json.dumps(experiment.method), "classes": json.dumps(classes), "member": str(member)}
    file = Path(target) / f"{experiment.experiment}-{member}.safetensors"
    described = card(experiment, member, file.name)
    results.write(file, save({name: tensor.contiguous() for name, tensor in weights.items()}, header))
    results.write(file.with_suffix(".md"), described.encode())
    return file


def chosen_member(experiment: Experiment) -> Member:
    """The finished member with the best last-epoch selection accuracy; without selection frames, the first one.

    Raises FileNotFoundError if no member is finished.
    """
    results.some_finished(experiment)
    history = results.read(experiment, "history.csv").query("epoch == @experiment.epochs")
    if "selection_accuracy" in history:
        history = history.sort_values("selection_accuracy", ascending=False, kind="stable")
    return Member(*history[["seed", "fold"]].iloc[0].tolist())


def card(experiment: Experiment, member: Member, name: str) -> str:
    """The model card in Markdown: data, protocol, accuracy, limits and licence."""
    own = "seed == @member.seed and fold == @member.fold"
    predictions = results.read(experiment, "predictions.csv.gz").query(own)
    unit, units = RESAMPLED.get(experiment.protocol, ("frame_id", "frames"))
    clear = with_ends(cluster_ratio(predictions["prediction"] == predictions["label"], predictions[unit]))
    classes, run = results.class_names(experiment), results.read_run(experiment)
    made = run | run["members"].get(str(member), {})
    hits = (predictions["prediction"] == predictions["label"]).groupby(predictions["label"]).agg(["mean", "size"])
    recalls = [f"| {classes[k]} | {percent(row['mean'])} | {row['size']:.0f} |" for k, row in hits.iterrows()]
    unseen = right(experiment, SCORES["unseen"]).query(own)
    occluded = ""
    if len(unseen):
        share = with_ends(cluster_ratio(unseen["score"], unseen[unit]))
        occluded = f" Under occlusion of other kinds than its training shows: {share}, on {len(unseen):,} of them."
    network = network_for(experiment, len(classes))
    learned = ["fer2013"] if experiment.dataset in OF_FER2013 else [experiment.dataset]
    learned += ["fer2013"] if experiment.pretrained != "none" else []
    start = f" It started from weights that were trained on {learned[1]}." if learned[1:] else ""
    lines = [
        f"# {name.removesuffix('.safetensors')}",
        "",
        f"{label(experiment)}: {parameter_count(network) / 1e6:.2f} million weights; a grey face of 48 x 48 pixels to "
        f"probabilities of {', '.join(classes)}. After Kim, Lee and Lee (SPIE 2022).",
        "",
        "```python",
        "from fer_lib.export import Classifier",
        "",
        f'predict = Classifier("{name}")',
        "probabilities = predict(faces)  # faces: uint8 (N, 48, 48), upright, cropped as the data set crops them",
        "```",
        "",
        "## Data, protocol, accuracy",
        "",
        f"Trained on {experiment.dataset}, protocol {experiment.protocol}, seed {member.seed}, fold {member.fold}: "
        f"{experiment.epochs} epochs, batch {experiment.batch_size}, learning rate {experiment.lr}. "
        f"{SPLITS[experiment.protocol]}{start}",
        "",
        f"This member: {clear} of {len(predictions):,} test frames ({units} resampled).{occluded} This was measured on "
        f"{made['device']}; trained on a processor of another kind, this is another network, and was not measured.",
        "",
        "| class | recall in percent | test frames |",
        "| --- | --- | --- |",
        *recalls,
        "",
        f"Data fingerprint {run['data_fingerprint'][:16]}, torch {made['versions']['torch']}, commit {made['commit']}.",
        "",
        "## Limits",
        "",
        "- It names what a face in the data set would be labelled, which is not what a person feels.",
        "- It was measured on this data set's faces alone: other cameras, crops, ages or skin tones may score lower, "
        "and by how much has not been measured.",
        "- It gives a class to every image, also to one without a face.",
        "- Do not use it to judge people, at work, at school, at a border, or anywhere else.",
        "",
        "## Licence",
        "",
        f"Code: MIT. {' '.join(LICENCES[one] for one in learned)}",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python -m fer_lib.export DATASET EXPERIMENT FOLDER")
    try:
        chosen = results.stored(sys.argv[1], sys.argv[2])
        print(export(chosen, chosen_member(chosen), Path(sys.argv[3])))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
