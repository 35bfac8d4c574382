"""Retrain finished members whose weights are missing, and compare them with their stored results.

    python -m fer_lib.retrain fer2013 usage-resnet10-strong-short
    python -m fer_lib.retrain ckplus random-resnet10-softmax seed0-fold0

Weights are not stored with the results, which stay unchanged. On a different kind of processor the retrained network is
a different one: rounding differs, and training amplifies it. The same seed, trained on FER2013 for 20 epochs on two
machines, agreed on 85 % of PrivateTest.
"""

import sys

import pandas as pd
import torch

from fer_lib import faces, machine, results
from fer_lib.evaluation import Predictor
from fer_lib.experiments import Experiment, Member
from fer_lib.faces import Faces
from fer_lib.run import train_and_store
from fer_lib.splits import split
from fer_lib.training import Trainee, save
from fer_lib.weights import check_start, weights_file
from fer_lib.words.rounding import percent


def restore(experiment: Experiment, names: list[str] | None = None) -> None:
    """Train finished members whose weights are not on this machine, and store the weights; an interrupted run resumes.

    names: of the members to train, as in `run.json` (default: all). Prints a sentence per member once it is trained:
    how many of its stored predictions it gives again. Raises DataError if the data set is missing, FileNotFoundError if
    no member is finished or the weights that training starts from are missing, ValueError if a name is not that of a
    finished member, the results are of other data, the starting weights have changed, or another process is training
    there.
    """
    finished = {str(member): member for member in results.some_finished(experiment)}
    for name in names or ():
        if name not in finished:
            where = f"{experiment.experiment} of {experiment.dataset}"
            raise ValueError(f"{where} has no run {name!r}; stored: {', '.join(finished)}")
    wanted = [finished[name] for name in names or finished]
    missing = [member for member in wanted if not weights_file(experiment, member).exists()]
    if not missing:
        print("nothing to train: the weights are on this machine")
        return
    data = faces.load(experiment.dataset)
    with results.alone(experiment):
        _train_again(experiment, missing, data)


def _train_again(experiment: Experiment, missing: list[Member], data: Faces) -> None:
    folder = results.folder(experiment)
    if different := results.conflicts(experiment, results.read_run(experiment), data.fingerprint):
        raise ValueError(
            f"{folder} holds results of other parameters or data: {'; '.join(different)}; restore the former ones"
        )
    for seed in {member.seed for member in missing}:
        check_start(experiment, seed)

    def keep(member: Member, learned: tuple[dict[str, torch.Tensor], pd.Series]) -> None:
        weights, predictions = learned
        save(weights, weights_file(experiment, member))
        # In a terminal below the line of progress.
        print("\n" * sys.stdout.isatty() + agreement(experiment, member, predictions), flush=True)

    train_and_store(experiment, _learned, missing, data, keep, f"weights of {experiment.experiment}")


def _learned(trained: Trainee, data: Faces) -> tuple[dict[str, torch.Tensor], pd.Series]:
    """The weights, and the predicted class by frame_id of the test frames."""
    member, frames = trained.member, trained.data
    tested = split(data, trained.experiment.protocol, member.seed, member.fold).test
    predict = Predictor(trained.network, trained.experiment, member.seed, frames.train_images, frames.train_labels)
    predicted = predict(frames.test_images).argmax(axis=1)
    return trained.network.state_dict(), pd.Series(predicted, index=data.frames["frame_id"].iloc[tested])


def agreement(experiment: Experiment, member: Member, predictions: pd.Series) -> str:
    """How far a member's predictions by frame_id are those stored, in a sentence."""
    table = results.read(experiment, "predictions.csv.gz").set_index("frame_id")
    stored = table[(table["seed"] == member.seed) & (table["fold"] == member.fold)]
    again, run = predictions.loc[stored.index], results.read_run(experiment)
    before, now = ((said == stored["label"]).mean() for said in (stored["prediction"], again))
    same, there = (again == stored["prediction"]).sum(), run["members"][str(member)].get("device", run["device"])
    return (
        f"{member}: {same:,} of {len(stored):,} predictions are those stored; accuracy {percent(now)} %, stored "
        f"{percent(before)} % (now on {machine.name()}, the stored run on {there})"
    )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python -m fer_lib.retrain DATASET EXPERIMENT [RUN ...], e.g. ckplus my-experiment seed0-fold0")
    try:
        restore(results.stored(sys.argv[1], sys.argv[2]), sys.argv[3:])
    except (OSError, ValueError) as error:
        sys.exit(str(error))
