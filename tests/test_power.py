"""What it takes to find a small difference, against textbooks and simulations."""

import numpy as np
import pandas as pd
import pytest
from few_results import LEAKS, add
from scipy import stats

from fer_lib import paths
from fer_lib.experiments import Experiment, Member
from fer_lib.findings import claims, power
from fer_lib.words.naming import label


def test_power_of_a_paired_t_test():
    # Cohen (1988): a difference of half a standard deviation is found in 80 % of studies with 34 pairs.
    assert power.paired_t_power(0.5, 1, 34) == pytest.approx(0.808, abs=0.001)
    assert power.seeds_needed(0.5, 1) == 34
    assert power.paired_t_power(0, 1, 20) == pytest.approx(0.05)
    assert power.paired_t_power(2, 0.1, 200) == pytest.approx(1)


def test_a_corrected_test_has_a_limit():
    # Standard error 1 / 2 however many pairs: a difference of 1 is two of them, and 2 - 1.96 = 0.04.
    assert power.power_limit(1, 1, 0.25) == pytest.approx(stats.norm.cdf(0.04), abs=1e-4)
    assert power.paired_t_power(1, 1, 100_000, 0.25) == pytest.approx(power.power_limit(1, 1, 0.25), abs=1e-4)
    assert power.power_limit(0, 1, 0.25) == pytest.approx(0.05)
    # (1.96 + 0.8416) / 2.
    assert power.resolvable(1, 0.25) == pytest.approx(1.4008, abs=1e-4)
    assert power.power_limit(power.resolvable(1, 0.25), 1, 0.25) == pytest.approx(0.8, abs=1e-4)
    assert power.seeds_needed(1.39, 1, 0.25) == np.inf
    needed = power.seeds_needed(1.6, 1, 0.25)
    below, at = (power.paired_t_power(1.6, 1, n, 0.25) for n in (needed - 1, needed))
    assert below < power.POWER <= at
    # Over a spread this small two pairs are enough, whatever they share.
    assert power.seeds_needed(1, 0.001, 0.25) == 2


def test_the_power_of_a_corrected_test_by_simulation():
    """Ten differences of 1 with a standard deviation of 0.5 each, and an error of their own that all ten share."""
    rng, n, overlap = np.random.default_rng(0), 10, 0.25
    drawn = 1 + 0.5 * (rng.normal(size=(20_000, n)) + np.sqrt(overlap) * rng.normal(size=(20_000, 1)))
    error = drawn.std(axis=1, ddof=1) * np.sqrt(1 / n + overlap)
    found = np.abs(drawn.mean(axis=1)) / error > stats.t.ppf(0.975, n - 1)
    assert found.mean() == pytest.approx(power.paired_t_power(1, 0.5, n, overlap), abs=0.01)


def test_frames_for_two_proportions():
    # 0.5 against 0.6 at 80 % power: 388 a group without continuity correction.
    assert power.frames_needed(0.5, 0.6) == 388


def test_frames_that_both_see_by_simulation():
    needed = power.paired_frames_needed(0.05, 0.15)
    assert power.paired_frames_power(0.05, 0.15, needed) == pytest.approx(0.8, abs=0.002)
    gained, lost = np.random.default_rng(0).multinomial(needed, [0.10, 0.05, 0.85], size=4000)[:, :2].T
    p = 2 * stats.norm.sf(np.abs(gained - lost) / np.sqrt(gained + lost))
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.02)
    with pytest.raises(ValueError, match=r"discordant is 0.01; a difference of 0.05 needs at least as much"):
        power.paired_frames_needed(0.05, 0.01)


def test_few_values_hardly_tell_their_spread():
    # Chi-squared with 3 degrees of freedom: 0.216 and 9.348.
    assert power.spread_interval(2, 4) == pytest.approx((2 * (3 / 9.348) ** 0.5, 2 * (3 / 0.216) ** 0.5), abs=0.01)


def spreads(seeds, discordant, members):
    return power.Spreads(seeds, discordant, members, "triplet and softmax", (-0.02, -0.03, -0.01))


TOGETHER = pd.DataFrame({"protocol": ["random", "subject"], "arms": ["triplet and softmax", "others"], "runs": [4, 10]})
TOGETHER = TOGETHER.assign(effect=[1.4, 2.6], ci_low=[0.6, 1.8], ci_high=[2.8, 3.7])


def test_power_in_words():
    said = power.power_answer(spreads(0.0158, 0.018, 4), LEAKS, TOGETHER)
    assert said.startswith(
        "In our runs (triplet and softmax) triplet gains -2.00 [-3.00\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}-1.00] "
        "points over softmax (n = 4 pairs). To detect a difference of 0.48 points with 80 % power, in a two-sided test "
        "at the 5 % level, a"
    )
    assert "- **Seeds:** no number suffices on these frames." in said and "By the same interval" not in said
    # Of 181 test frames for 800 that train: 1.58 * sqrt(181 / 800) = 0.75, times 1.96 + 0.8416 = 2.11.
    assert "its standard error tends to 0.75 points" in said and "a difference of 2.11 points or more (" in said
    assert f"as if each split had its own frames, {power.seeds_needed(0.0048, 0.0158)} seeds would seem enough" in said
    assert "1.58 points (4 pairs of runs of these two networks on the same splits)." in said
    # Of 1.04 and 0.56 % errors each is one that the other method may not make.
    most, ours = (f"{power.paired_frames_needed(0.0048, share):,} frames, " for share in (0.016, 0.018))
    assert f"- **Shared test frames:** {most}" in said and f"it is 1.80 %; that would take {ours}" in said
    assert "is correct on 1.60 % of them, the most that the printed accuracies allow. In our runs, which" in said
    fewer = power.power_answer(spreads(0.0158, 0.012, 4), LEAKS, TOGETHER)
    assert "is correct on 1.20 % of them, the share in our runs.\n" in fewer
    assert "5,406 frames, 652 subjects" in said and "all their frames, 8.3 on average" in said
    assert said.replace("\N{NO-BREAK SPACE}", " ").endswith(
        "cluster by subject. Of the difference of the two methods' errors the variance is that of independent frames "
        "times 1.4 [0.6 to 2.8] on random test frames (n = 4 runs of each) and 2.6 [1.8 to 3.7] on all frames of "
        "unseen subjects (n = 10 runs of each; others), with 95 % intervals over subjects. So the 5,449 shared frames "
        "become about 7,600 on random test frames and 14,200 on all frames of unseen subjects."
    )
    alone = power.power_answer(spreads(0.0158, 0.018, 4), LEAKS, TOGETHER[:0])
    assert alone.endswith("but errors cluster by subject (above), so more frames and subjects are needed.")
    assert power.power_answer(spreads(float("nan"), 0.018, 0), LEAKS, TOGETHER).endswith("There are none yet.")
    assert power.power_answer(spreads(0.01, float("nan"), 0), LEAKS, TOGETHER).endswith("There are none yet.")


def test_what_differs_besides_the_loss_is_told(tmp_path, monkeypatch):
    """Two runs each: triplet with a slow STN gains 0 and 0.5 of two frames."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    softmax = Experiment("softmax", "ckplus", seeds=2, loss="softmax")
    slow, full = (Experiment(f"triplet-{rate}", "ckplus", seeds=2, stn_lr_factor=rate) for rate in (0.1, 1.0))
    store(softmax, [[1, 0], [1, 0]])
    for arm in (slow, full):
        store(arm, [[1, 0], [1, 1]])
    found = {}
    for arm in (slow, full):
        monkeypatch.setattr(claims, "measured", lambda dataset, arm=arm: [softmax, arm])
        found[arm] = power.spreads("ckplus")
    # Differences 0 and 0.5; of four frames one is classified correctly by triplet alone.
    assert found[slow][:3] == (pytest.approx(np.sqrt(0.125)), 0.25, 2)
    assert found[slow].arms == f"{label(slow)} and {label(softmax)}, so the STN's rate differs too"
    assert found[full].arms == "STN + ResNet-10 + triplet and STN + ResNet-10 + softmax"
    # Only the second run differs, on one subject's only frame: sums of 1/2 and -1/2, 2 times the variance of 2 * 1/4.
    together = power.clustered("ckplus")
    assert together[["protocol", "arms", "runs", "effect"]].values.tolist() == [["random", found[full].arms, 2, 2.0]]
    begun = Experiment("begun", "ckplus", seeds=2, loss="softmax", stn_lr_factor=0.1)
    store(begun, [[1, 0]])
    monkeypatch.setattr(claims, "measured", lambda dataset: [begun, softmax, slow])
    assert power.spreads("ckplus") == found[slow], "a fairer pair with a single run has no spread yet"
    monkeypatch.setattr(claims, "measured", lambda dataset: [softmax])
    assert power.spreads("ckplus").members == 0


def store(experiment, predicted):
    """predicted: the class of two frames of class 1, for each seed."""
    for seed, own in enumerate(predicted):
        frames = {"frame_id": list("ab"), "subject": list("pq"), "label": 1, "prediction": own}
        metrics = pd.DataFrame({"accuracy": [np.mean(own)]})
        add(experiment, Member(seed, 0), {"predictions.csv.gz": pd.DataFrame(frames), "metrics.csv": metrics})


def test_what_the_printed_gain_takes():
    # 0.48 % of 181 frames are 0.87 frames.
    assert power.in_short() == (
        "The printed gain of triplet over softmax, 0.48 points, is 0.87 of 181 frames. Detecting it with 80 % power "
        "takes 5,406 independent test frames for each method, or 1,633 to 5,449 that both share: fewest if the better "
        "one is correct wherever the other is, most if their errors never coincide."
    )


def test_a_difference_that_seeds_can_resolve_names_them():
    said = power.power_answer(spreads(0.0005, 0.018, 4), LEAKS, TOGETHER)
    needed = power.seeds_needed(0.0048, 0.0005, power.SHARED)
    least, most = (power.seeds_needed(0.0048, end, power.SHARED) for end in power.spread_interval(0.0005, 4))
    assert f"**Seeds:** {needed} of each method" in said and "its power to 100 %" in said
    assert f"it takes at least {least} seeds, and at most {most}." in said
    wider = power.power_answer(spreads(0.003, 0.018, 4), LEAKS, TOGETHER)
    assert " seeds, and perhaps no number suffices." in wider


def test_power_curves_are_the_powers():
    curves = power.power_curves(0.01, 0.02)
    assert " 56 % (+1), " in power.power_caption(curves) and curves["points"].unique().tolist() == [0.48, 1, 2]
    curves = curves[curves["points"] == 1].set_index(["of", "n"])
    chance, limit = curves["power"], curves["limit"]
    assert chance["seeds"].index[[0, 1, -1]].tolist() == [2, 3, 1000] and chance["seeds"].index.is_unique
    assert chance["seeds", 10] == power.paired_t_power(0.01, 0.01, 10, 181 / 800)
    assert chance["frames"].iloc[0] == power.paired_frames_power(0.01, 0.02, 100)
    # 1 / sqrt(181 / 800) = 2.102, and 2.102 - 1.96 = 0.142.
    assert limit["seeds"].unique() == pytest.approx([stats.norm.cdf(0.142)], abs=1e-3)
    assert chance["seeds"].max() < limit["seeds"].max() and limit["frames"].unique() == [1]
