"""Retrain finished members whose weights are missing, since weights are not stored with the results.

    python -m fer_lib.retrain fer2013 usage-resnet10-strong-short

The results stay unchanged. On a different kind of processor the retrained network is a different one: rounding differs,
and training amplifies it. The same seed, trained on FER2013 for 20 epochs on two machines, agreed on 85 % of
PrivateTest.
"""

import sys
from contextlib import closing

import torch

from fer_lib import faces, results
from fer_lib.experiments import Experiment, Member
from fer_lib.faces import Faces
from fer_lib.progress import Progress
from fer_lib.run import checkpoint_file, train
from fer_lib.training import Trainee, epochs_done, save
from fer_lib.weights import check_start, weights_file


def restore(experiment: Experiment) -> None:
    """Train finished members whose weights are not on this machine, and store the weights; an interrupted run resumes.

    Raises DataError if the data set is missing, FileNotFoundError if the weights that training starts from are missing,
    ValueError if the results are of other data, the starting weights have changed, or another process is training
    there.
    """
    missing = [member for member in results.finished(experiment) if not weights_file(experiment, member).exists()]
    if not missing:
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
    done = sum(epochs_done(checkpoint_file(experiment, member)) for member in missing)
    total = len(missing) * experiment.epochs
    progress = Progress(f"weights of {experiment.experiment}", total, done, folder / "progress.txt")
    with closing(train(experiment, _weights, missing, data, progress.step)) as trained:
        for member, weights in trained:
            save(weights, weights_file(experiment, member))
            checkpoint_file(experiment, member).unlink()
    progress.finish()


def _weights(trained: Trainee, data: Faces) -> dict[str, torch.Tensor]:
    return trained.network.state_dict()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m fer_lib.retrain DATASET EXPERIMENT, whose results are stored")
    try:
        restore(results.stored(sys.argv[1], sys.argv[2]))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
