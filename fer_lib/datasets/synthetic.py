"""Synthetic faces with the structure of CK+48, drawn at run time: they need no data and may be shown anywhere.

118 subjects, 327 sequences of three frames that rise to the apex, and the class frequencies of CK+48. Each emotion is
posed by the action units of its prototype.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from fer_lib.datasets.face_drawing import draw
from fer_lib.faces import EMOTIONS, SIZE, Faces

PROTOTYPES = {
    "anger": {"AU4": 1.0, "AU5": 0.5, "AU7": 0.8, "AU23": 1.0},
    "contempt": {"AU12R": 0.5, "AU14R": 1.0},
    "disgust": {"AU9": 1.0, "AU15": 0.5, "AU17": 0.7},
    "fear": {
        "AU1": 1.0,
        "AU2": 0.6,
        "AU4": 0.6,
        "AU5": 0.8,
        "AU7": 0.3,
        "AU20": 1.0,
        "AU25": 0.8,
        "AU26": 0.3,
    },
    "happiness": {"AU6": 0.9, "AU12": 1.0, "AU25": 0.6},
    "sadness": {"AU1": 1.0, "AU4": 0.5, "AU15": 1.0},
    "surprise": {"AU1": 1.0, "AU2": 1.0, "AU5": 0.8, "AU25": 0.6, "AU26": 1.0},
}
"""Emotion -> action unit -> maximum intensity, after the EMFACS prototypes (Friesen & Ekman 1983); AU25 (parted lips)
is added where teeth or an open mouth show. Contempt is one-sided; each sequence draws its side."""

SEQUENCES = dict(zip(EMOTIONS, (45, 18, 59, 25, 69, 28, 83), strict=True))
"""Number of sequences per emotion, as in CK+48."""

SUBJECTS_WITH = {1: 21, 2: 22, 3: 47, 4: 20, 5: 7, 6: 1}
"""Number of sequences -> number of subjects with that many, as in CK+48."""

RISE = (0.8, 0.9, 1.0)
"""Intensity of the three frames of a sequence relative to its apex."""

IDENTITY = {
    "brow_inner": (-0.41, -0.35),
    "brow_peak": (-0.49, -0.42),
    "brow_outer": (-0.41, -0.33),
    "brow_gap": (0.12, 0.17),
    "brow_reach": (0.54, 0.62),
    "brow_thickness": (0.03, 0.065),
    "brow_strength": (0.5, 0.95),
    "eye_distance": (0.30, 0.36),
    "eye_height": (-0.25, -0.19),
    "eye_width": (0.125, 0.165),
    "eye_tilt": (-0.02, 0.02),
    "lid_upper": (0.05, 0.075),
    "lid_lower": (0.03, 0.045),
    "lid_crease": (0.2, 0.9),
    "iris": (0.05, 0.4),
    "socket": (0.03, 0.09),
    "bag": (0.0, 0.3),
    "nose_tip": (0.22, 0.31),
    "nose_width": (0.07, 0.12),
    "nose_relief": (0.05, 0.10),
    "nostril": (0.065, 0.10),
    "cheek": (0.02, 0.05),
    "fold": (0.0, 0.25),
    "mouth": (0.23, 0.31),
    "corner": (-0.015, 0.02),
    "lip_line": (0.53, 0.60),
    "lip_upper": (0.03, 0.065),
    "lip_lower": (0.05, 0.09),
    "lip_tone": (0.5, 0.9),
    "chin": (0.93, 1.08),
    "jaw": (0.0, 0.9),
    "face_width": (0.74, 0.86),
    "ear": (-0.02, 0.09),
    "skin": (0.5, 0.95),
    "hair": (0.05, 0.45),
    "hair_volume": (0.04, 0.22),
    "hair_end": (-0.5, 1.5),
    "hairline": (-1.05, -0.72),
    "hair_curve": (0.1, 0.9),
    "parting": (-0.35, 0.35),
    "beard": (-1.5, 0.6),
    "glasses": (-5.0, 0.8),
    "mole": (-2.0, 0.5),
    "mole_u": (-0.5, 0.5),
    "mole_v": (0.0, 0.4),
}
"""Differences between subjects: control point -> lowest and highest value, in face coordinates (see `face_drawing`) or
as a tone or strength from 0 to 1; a strength below 0 means no beard, glasses or mole."""

VIEW = {
    "rotation": (-0.06, 0.06),
    "shift_u": (-0.04, 0.04),
    "shift_v": (-0.04, 0.04),
    "zoom": (1.03, 1.13),
    "yaw": (-0.05, 0.05),
    "pitch": (-0.04, 0.04),
    "light_u": (-0.5, 0.5),
    "light_v": (-0.7, 0.0),
    "exposure": (0.8, 1.15),
    "background": (0.2, 0.6),
}
"""Differences between recordings: name -> lowest and highest value. Rotation in radians, shifts and turns in halves of
the image side, light as the slope that faces the lamp, background as a tone from 0 to 1."""

MOVES = {
    "AU1": {"brow_inner": -0.14, "brow_peak": -0.05, "brow_lines": 0.6},
    "AU2": {"brow_peak": -0.12, "brow_outer": -0.09, "brow_lines": 0.4, "lid_upper": 0.01},
    "AU4": {"brow_inner": 0.10, "brow_peak": 0.06, "brow_gap": -0.05, "furrow": 1.0, "lid_upper": -0.01},
    "AU5": {"lid_upper": 0.05, "lid_lower": 0.008, "lid_crease": -0.5},
    "AU6": {"lid_lower": -0.022, "cheek": 0.03, "cheek_lift": 0.07, "crow_feet": 1.0, "bag": 0.7},
    "AU7": {"lid_upper": -0.022, "lid_lower": -0.022, "bag": 0.3},
    "AU9": {
        "nose_wrinkle": 1.0,
        "nose_tip": -0.05,
        "fold": 0.7,
        "lip_line": -0.04,
        "brow_inner": 0.07,
        "lid_upper": -0.02,
        "lid_lower": -0.02,
    },
    "AU12": {"spread": 0.10, "corner": -0.11, "fold": 0.8, "smile": 1.0, "lip_upper": -0.02},
    "AU12L": {"spread_left": 0.10, "corner_left": -0.11, "fold_left": 0.8, "smile": 0.5, "lip_upper": -0.01},
    "AU12R": {"spread_right": 0.10, "corner_right": -0.11, "fold_right": 0.8, "smile": 0.5, "lip_upper": -0.01},
    "AU14": {"spread": 0.06, "corner": -0.07, "dimple": 1.2, "fold": 0.2},
    "AU14L": {"spread_left": 0.06, "corner_left": -0.07, "dimple_left": 1.2, "fold_left": 0.2},
    "AU14R": {"spread_right": 0.06, "corner_right": -0.07, "dimple_right": 1.2, "fold_right": 0.2},
    "AU15": {"corner": 0.10, "marionette": 1.0, "fold": 0.2},
    "AU17": {"push": 0.05, "chin_boss": 1.0, "lip_lower": -0.01, "chin": -0.03},
    "AU20": {"mouth": 0.09, "corner": 0.03, "smile": 0.7, "fold": 0.3, "lip_upper": -0.01, "lip_lower": -0.015},
    "AU23": {"mouth": -0.04, "lip_upper": -0.035, "lip_lower": -0.045, "tight": 1.0, "chin_boss": 0.4},
    "AU25": {"part": 0.11},
    "AU26": {"jaw_drop": 0.24, "chin": 0.13, "mouth": -0.07, "lip_line": -0.02},
}
"""Action unit -> control point -> displacement at full intensity, in face coordinates, or added strength of a wrinkle.
AU12 and AU14 act on both sides; with L or R, only on the subject's left or right."""

_AT_REST = {name: 0.0 for moves in MOVES.values() for name in moves}


def load() -> Faces:
    """Draw the 981 faces (a few seconds), with the same bytes each time."""
    images, rows, labels = [], [], []
    for subject, sequence, emotion, frame_id, identity, units, view, noise in _recordings():
        images.append(_record(draw(control_points(identity, units), view), noise))
        rows.append((frame_id, f"S{subject:03d}", sequence, ""))
        labels.append(EMOTIONS.index(emotion))
    table = pd.DataFrame(rows, columns=["frame_id", "subject", "sequence", "usage"])
    return Faces("synthetic", np.stack(images), np.array(labels, dtype=np.int64), table, EMOTIONS)


def expression_changes(frame_ids: Sequence[str]) -> np.ndarray:
    """Absolute change in grey value (N, 48, 48), 0 to 1, caused by the prototype's action units in each frame.

    Compares the frame drawn with all its action units and without those of its emotion, in the same view and without
    noise. Raises KeyError for an unknown frame.
    """
    changes = dict.fromkeys(frame_ids)
    for _, _, emotion, frame_id, identity, units, view, _ in _recordings():
        if frame_id in changes:
            stray = {code: x for code, x in units.items() if code.replace("L", "R") not in PROTOTYPES[emotion]}
            with_it, without_it = (draw(control_points(identity, some), view) for some in (units, stray))
            changes[frame_id] = np.abs(with_it - without_it)
    if absent := [frame_id for frame_id, change in changes.items() if change is None]:
        raise KeyError(f"no synthetic frame {absent[0]!r}")
    return np.stack([changes[frame_id] for frame_id in frame_ids])


def control_points(identity: Mapping[str, float], units: Mapping[str, float]) -> dict[str, float]:
    """Control points for `face_drawing.draw`: `identity` (see `IDENTITY`) moved by `units` (code -> intensity).

    Raises ValueError for an unknown action unit.
    """
    points = _AT_REST | dict(identity)
    for code, intensity in units.items():
        if code not in MOVES:
            raise ValueError(f"unknown action unit {code!r}; known: {', '.join(MOVES)}")
        for name, move in MOVES[code].items():
            points[name] += intensity * move
    return points


def _recordings() -> Iterator[tuple]:
    """Yield (subject, sequence, emotion, frame_id, identity, {code: intensity}, view, noise), ascending by frame."""
    for subject, emotions in _cast(np.random.default_rng([0, 0])).items():
        rng = np.random.default_rng([0, 1, subject])
        identity, usual_view = _draw_from(IDENTITY, rng), _draw_from(VIEW, rng)
        for number, emotion in enumerate(emotions, 1):
            rng = np.random.default_rng([0, 2, subject, number])
            sequence, apex, peak = f"S{subject:03d}_{number:03d}", rng.integers(10, 45), _pose(emotion, rng)
            view = _vary(usual_view, 0.4, rng)
            for k, share in enumerate(RISE, 1 - len(RISE)):
                units = {code: share * top for code, top in peak.items()}
                own_view, noise = _vary(view, 0.1, rng), rng.standard_normal((SIZE, SIZE), dtype=np.float32)
                yield subject, sequence, emotion, f"{sequence}_{apex + k:08d}", identity, units, own_view, noise


def _cast(rng: np.random.Generator) -> dict[int, list[str]]:
    """Assign emotions to subjects: subject number -> emotions in order of recording, none twice.

    Each emotion goes to the subjects with the most sequences left, which fills every sequence (Ryser 1957).
    """
    left = rng.permutation(np.repeat(list(SUBJECTS_WITH), list(SUBJECTS_WITH.values())))
    poses = {subject: [] for subject in range(1, len(left) + 1)}
    for emotion in rng.permutation(EMOTIONS).tolist():
        chosen = np.argsort(-left - rng.random(len(left)))[: SEQUENCES[emotion]]
        left[chosen] -= 1
        for place in chosen.tolist():
            poses[place + 1].append(emotion)
    return {subject: rng.permutation(emotions).tolist() for subject, emotions in poses.items()}


def _pose(emotion: str, rng: np.random.Generator) -> dict[str, float]:
    """Draw the action units at the apex: the prototype with varied intensities, sometimes with a weak stray unit."""
    peak = rng.uniform(0.6, 1.0)
    units = {code: min(1.0, weight * peak * rng.uniform(0.6, 1.2)) for code, weight in PROTOTYPES[emotion].items()}
    if rng.random() < 0.5:
        units = {code.replace("R", "L"): intensity for code, intensity in units.items()}
    if rng.random() < 0.4:
        units[str(rng.choice([code for code in MOVES if code not in units]))] = rng.uniform(0.05, 0.3)
    return units


def _draw_from(ranges: Mapping[str, tuple[float, float]], rng: np.random.Generator) -> dict[str, float]:
    return {name: rng.uniform(low, high) for name, (low, high) in ranges.items()}


def _vary(view: Mapping[str, float], share: float, rng: np.random.Generator) -> dict[str, float]:
    """Vary a view: each value is drawn from an interval around it whose length is `share` of its range."""
    reach = {name: share * (high - low) for name, (low, high) in VIEW.items()}
    return {name: value + reach[name] * (rng.random() - 0.5) for name, value in view.items()}


def _record(grey: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Add camera noise and quantise to 8 bits per pixel."""
    return np.rint(255 * np.clip(grey + 0.008 * noise, 0, 1)).astype(np.uint8)
