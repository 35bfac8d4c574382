"""Untrained weights stand for those of two seeds from which fine-tuning starts."""

import pandas as pd
import pytest
import torch

from fer_lib import paths, results
from fer_lib.experiments import Experiment, Member
from fer_lib.training import network_for, save
from fer_lib.weights import check_start, load_network, start_fingerprint, start_weights, weights_file

FIRST = Experiment("first", dataset="fer2013", protocol="usage", loss="softmax", seeds=2)
SECOND = Experiment("second", loss="softmax", seeds=2, pretrained="first")


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    results.open_folder(FIRST, "abc", "cpu")
    for member in FIRST.members:
        results.add_member(FIRST, member, {name: pd.DataFrame({"p_fear": [1.0]}) for name in results.TABLES}, {})
        torch.manual_seed(member.seed)
        save(network_for(FIRST, 1).state_dict(), weights_file(FIRST, member))


def test_damaged_weights_are_named(stored):
    weights_file(FIRST, Member(0, 0)).write_bytes(b"PK no weights")
    with pytest.raises(ValueError, match=r"model-seed0-fold0.pt is damaged .*delete it, then train again"):
        load_network(FIRST, Member(0, 0), 1)


def test_each_seed_starts_from_its_own_weights(stored):
    for seed in range(2):
        network = load_network(FIRST, Member(seed, 0), 1)
        assert not network.training and not network.resnet.bn1.training
        begun = start_weights(SECOND, seed)
        assert network.state_dict().keys() - begun.keys() == {"resnet.fc.weight", "resnet.fc.bias"}
        assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in begun.items())
    assert start_fingerprint(SECOND, 0) != start_fingerprint(SECOND, 1)


def test_weights_of_a_run_that_was_killed_in_its_evaluation_count_as_absent(stored):
    (results.folder(FIRST) / "metrics.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no weights .*model-seed0-fold0.pt; train the experiment, or run"):
        check_start(SECOND, 0)


def test_members_are_checked_against_their_own_seeds_start(stored):
    results.open_folder(SECOND, "abc", "cpu")
    for member in SECOND.members:
        tables = {name: pd.DataFrame({"x": [1]}) for name in results.TABLES}
        results.add_member(SECOND, member, tables, {"start_sha256": start_fingerprint(SECOND, member.seed)})
    for seed in range(2):
        check_start(SECOND, seed)
    save(load_network(FIRST, Member(0, 0), 1).state_dict(), weights_file(FIRST, Member(1, 0)))
    check_start(SECOND, 0)
    with pytest.raises(ValueError, match="seed1-fold0 of second started from other weights of first than those"):
        check_start(SECOND, 1)


def test_another_recipe_cannot_start_from_them(stored):
    other = Experiment("other", loss="softmax", pretrained="first", recipe="strong")
    with pytest.raises(ValueError, match="recipe is 'strong', but 'paper' in first, which training starts from"):
        start_weights(other, 0)
