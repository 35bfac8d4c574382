"""A classifier's faces, and its answers, checked to be probabilities, so that a broken model does not get a score."""

from collections.abc import Callable

import numpy as np

from fer_lib.faces import SIZE

TOLERANCE = 0.01
"""How far a face's probabilities may be from adding up to 1: more than what a softmax in float16 is rounded by."""

Predict = Callable[[np.ndarray], np.ndarray]
"""Any classifier: uint8 (M, 48, 48) -> probabilities (M, K), whose column k is class k and whose rows add up to 1.

Whatever `np.asarray` reads will do: a list, a DataFrame, a tensor on the CPU. It may write into the faces it gets.
"""


def checked(predict: Predict) -> Callable[..., np.ndarray]:
    """predict as a function of faces and what covers them, which errors name.

    It raises ValueError if there is no face, or if predict returns anything but finite probabilities that add up to 1,
    a row for each face and always as many columns.
    """
    classes = None

    def ask(faces: np.ndarray, covered: str = "") -> np.ndarray:
        nonlocal classes
        if len(faces) == 0:
            raise ValueError("rows choose no face of the benchmark; choose at least one")
        where = f"under {covered!r}" if covered else "on clear faces"
        found = _probabilities(predict(faces), len(faces), classes, where)
        classes = found.shape[1]
        return found

    return ask


def _probabilities(answer, count: int, classes: int | None, where: str) -> np.ndarray:
    """A model's answer for count faces as an array, in its own precision; raises ValueError as `checked`.

    classes: number of columns, None if any. where: "on clear faces".
    """
    wanted = f"it must return probabilities, an array ({count}, {classes or 'classes'}), for {count} faces"
    found = numbers(answer, f"{where} predict returned", wanted)
    if found.ndim != 2 or found.shape != (count, classes or found.shape[1]) or found.size == 0:
        raise ValueError(f"{where} predict returned an array {found.shape}; {wanted}")
    if found.dtype.kind != "f":
        found = found.astype(float)  # differences of one-hot uint8 would wrap around
    if bad := np.count_nonzero(~np.isfinite(found).all(axis=1)):
        raise ValueError(
            f"{where} predict returned NaN or infinite numbers in {bad} of {count} rows; "
            "look for them in the model's weights and in how it scales the faces"
        )
    sums, lowest = found.sum(axis=1, dtype=float), found.min(axis=1)
    if len(wrong := np.flatnonzero((abs(sums - 1) > TOLERANCE) | (lowest < -TOLERANCE))):
        row = wrong[0]
        raise ValueError(
            f"{where} predict's rows must be probabilities that sum to 1; row {row} sums to {sums[row]:.4g} and its "
            f"lowest number is {lowest[row]:.4g}; apply softmax to logits, divide percents by 100"
        )
    return found


def faces_for(name: str, given, least: int = 1) -> np.ndarray:
    """given as an array of faces, uint8 (N, 48, 48). Raises ValueError, which says that `name` takes them, for anything
    else, or fewer than `least`."""
    wanted = f"{name} takes uint8 (N, {SIZE}, {SIZE}), N at least {least}"
    images = numbers(given, "images are", wanted)
    if images.dtype != np.uint8 or images.shape[1:] != (SIZE, SIZE) or len(images) < least:
        raise ValueError(f"images are {images.dtype} {images.shape}; {wanted}")
    return images


def numbers(given, begin: str, wanted: str) -> np.ndarray:
    """given as an array. Raises ValueError, which starts with `begin` and ends in `wanted`, unless it holds numbers."""
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"its dtype is {array.dtype}")
    except (TypeError, ValueError, RuntimeError) as error:  # the last for a tensor with gradients
        kind = "None" if given is None else f"a {type(given).__name__}"
        raise ValueError(f"{begin} {kind}, which NumPy cannot read as numbers ({error}); {wanted}") from error
    return array
