import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from few_faces import few_faces, use_few_faces
from safetensors.torch import save_file

from fer_lib import faces, paths, results
from fer_lib.experiments import Experiment, Member
from fer_lib.export import Classifier, chosen_member, export
from fer_lib.run import run
from fer_lib.training import network_for

STRONG = Experiment("few", loss="softmax", recipe="strong", occlusion="mixed", epochs=1, batch_size=32)
FIRST = Member(0, 0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The results of `STRONG` with its weights."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("results")
        patch.setattr(paths, "RESULTS", folder)
        patch.setattr(faces, "load", faces.load)  # so that it is put back
        use_few_faces()
        run(STRONG)
        yield folder


def test_a_file_predicts_what_the_results_say(trained, tmp_path):
    file = export(STRONG, FIRST, tmp_path / "shipped")
    assert file.name == "few-seed0-fold0.safetensors"
    classifier = Classifier(file)
    assert classifier.classes == faces.EMOTIONS
    assert classifier.experiment == STRONG, "seeds and folds are one here"
    table, few = results.read(STRONG, "predictions.csv.gz"), few_faces()
    rows = few.frames["frame_id"].isin(table["frame_id"]).to_numpy()
    stored = table[[f"p_{name}" for name in faces.EMOTIONS]].to_numpy()
    np.testing.assert_allclose(classifier(few.images[rows]), stored, atol=1e-5)


def test_the_card_says_what_was_measured(trained, tmp_path):
    card = export(STRONG, FIRST, tmp_path).with_suffix(".md").read_text()
    accuracy = results.read(STRONG, "metrics.csv")["accuracy"].item()
    assert f"This member: {100 * accuracy:.2f} % [" in card and "15 test frames" in card
    assert "4.91 million weights" in card
    for part in ("## Limits", "## Licence", "Code: MIT", "strong recipe", 'Classifier("few-seed0-fold0.safetensors")'):
        assert part in card
    tested = results.read(STRONG, "predictions.csv.gz")["label"].nunique()
    assert sum(line.startswith(f"| {name} |") for line in card.splitlines() for name in faces.EMOTIONS) == tested


def test_the_best_by_the_frames_to_choose_by_is_shipped(trained):
    assert chosen_member(STRONG) == FIRST
    two = replace(STRONG, experiment="two", seeds=2)
    results.open_folder(two, "abc", "cpu")
    for seed, accuracy in enumerate((0.4, 0.6)):
        tables = {name: results.read(STRONG, name).drop(columns=["seed", "fold"]) for name in results.TABLES}
        tables["history.csv"] = tables["history.csv"].assign(selection_accuracy=accuracy)
        results.add_member(two, Member(seed, 0), tables, {})
    assert chosen_member(two) == Member(1, 0)


def test_what_cannot_be_shipped(trained, tmp_path):
    with pytest.raises(ValueError, match=r"t classifies by its training faces' embeddings \(classifier 'knn'\)"):
        export(Experiment("t"), FIRST, tmp_path)
    with pytest.raises(FileNotFoundError, match="no weights"):
        export(STRONG, Member(5, 0), tmp_path)
    with pytest.raises(FileNotFoundError, match="no finished run in"):
        chosen_member(replace(STRONG, experiment="never-run"))
    assert not list(tmp_path.iterdir())


def test_other_files_are_refused(trained, tmp_path):
    pickled = tmp_path / "model.safetensors"
    torch.save({"a": torch.zeros(2)}, pickled)
    with pytest.raises(ValueError, match=r"model.safetensors was not written by fer_lib.export"):
        Classifier(pickled)
    cut = export(STRONG, FIRST, tmp_path)
    cut.write_bytes(cut.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"few-seed0-fold0.safetensors was not written"):
        Classifier(cut)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((2, 48, 48)), r"float64 \(2, 48, 48\)"),
        (np.zeros((48, 48), "u1"), r"uint8 \(48, 48\)"),
        (np.zeros((2, 96, 96), "u1"), r"uint8 \(2, 96, 96\)"),
        (np.zeros((0, 48, 48), "u1"), r"uint8 \(0, 48, 48\)"),
    ],
)
def test_other_images_than_a_classifier_takes_are_refused(tmp_path, images, said):
    header = {"experiment": json.dumps(STRONG.method), "classes": json.dumps(faces.EMOTIONS)}
    save_file(network_for(STRONG, 7).state_dict(), tmp_path / "a.safetensors", header)
    classifier = Classifier(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=f"images are {said}" + r"; the classifier takes uint8 \(N, 48, 48\), N at le"):
        classifier(images)
    assert classifier([np.zeros((48, 48), np.uint8)]).shape == (1, 7)


def test_the_command_says_what_is_wrong(tmp_path):
    command = [sys.executable, "-m", "fer_lib.export", "fer2013", "vit", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "vit" in done.stderr and len(done.stderr.splitlines()) == 1
