"""Drawing of one synthetic face: control points shape a relief, which is painted, lit from one side and recorded.

Face coordinates: u points to the image's right, v down, both about -1 to 1 over the image; the midline is u = 0, and
a = |u| where both halves are alike. Left and right are the subject's, as in FACS: the right half has u < 0. Pixels are
computed only by sums, products, quotients, square roots and comparisons, which IEEE 754 rounds identically everywhere,
so the same face has the same bytes on every machine.
"""

from collections.abc import Mapping

import numpy as np

from fer_lib.faces import SIZE

OVERSAMPLING = 2
"""Rendered pixels per image pixel along each axis."""


def draw(points: Mapping[str, float], view: Mapping[str, float]) -> np.ndarray:
    """Draw one face; returns its grey values, float32 (48, 48), 0 black to 1 white.

    points: control points by name, from `synthetic.control_points`. view: a value for each name in `synthetic.VIEW`.
    """
    u, v = _face_coordinates(view)
    a = np.abs(u)
    mouth = _mouth(points, u, v)
    masks = _masks(points, u, a, v)
    creases = _creases(points, mouth, a, v)
    light = _light(_relief(points, mouth, masks, a, v) - 0.02 * creases, view)
    tone = _paint_skin(points, masks, u, a, v)
    tone = _paint_mouth(points, mouth, tone, v)
    tone = _paint_brows(points, tone, a, v)
    tone = _over(tone, masks["hair"], points["hair"] * (0.85 + 0.15 * _strands(u - points["parting"], v)))
    tone = _paint_eyes(points, tone * (1 - 0.45 * np.minimum(creases, 1.3)), a, v)
    tone = _over(view["background"], masks["head"], tone * light)
    return _shrink(np.clip(view["exposure"] * tone, 0, 1))


def _face_coordinates(view):
    axis = (np.arange(SIZE * OVERSAMPLING, dtype=np.float32) + 0.5) * (2 / (SIZE * OVERSAMPLING)) - 1
    x, y = axis[None, :] - view["shift_u"], axis[:, None] - view["shift_v"]
    t = view["rotation"] / 2
    cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    u, v = (cosine * x + sine * y) / view["zoom"], (cosine * y - sine * x) / view["zoom"]
    # The middle of the face is nearest to the camera, so turning the head moves it most.
    return u - view["yaw"] * np.maximum(0, 1 - u * u), v - view["pitch"] * np.maximum(0, 1 - v * v)


def _step(x):
    """Smooth step from 0 at x = -1/2 to 1 at x = 1/2."""
    t = np.clip(x + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def _bump(r2):
    """1 where the squared distance r2 is 0, falling smoothly to 0 at 1."""
    t = np.maximum(0, 1 - r2)
    return t * t


def _blob(u, v, centre, radii):
    p, q = (u - centre[0]) / radii[0], (v - centre[1]) / radii[1]
    return _bump(p * p + q * q)


def _stroke(across, along):
    """A line at across = 0, one unit wide to each side, that tapers off towards along = -1 and 1."""
    return _bump(across * across) * np.maximum(0, 1 - along * along)


def _band(v, top, bottom):
    return _step((v - top) / 0.025) * _step((bottom - v) / 0.025)


def _over(below, mask, tone):
    return below + mask * (tone - below)


def _mouth(points, u, v):
    """The mouth's edges by column, masks of lips, teeth and opening, and values that differ between left and right."""
    right = _step(-u / 0.1)
    mouth = {
        name: points[name] + right * points[f"{name}_right"] + (1 - right) * points[f"{name}_left"]
        for name in ("spread", "corner", "fold", "dimple")
    }
    half = points["mouth"] + mouth["spread"]
    x2 = (u / half) ** 2
    lens = np.maximum(0, 1 - x2)
    arch = np.sqrt(lens)
    line = points["lip_line"] + mouth["corner"] * np.minimum(x2, 1.4) - points["push"] * lens
    top = line - 0.45 * points["part"] * arch
    low = line + (0.55 * points["part"] + points["jaw_drop"]) * arch
    cupid = 1 - 0.3 * _bump(u * u / 0.004)
    upper = max(points["lip_upper"], 0.012) * lens * cupid
    lower = max(points["lip_lower"], 0.015) * (0.4 * lens + 0.6 * arch)
    inside = _step((1 - x2) / 0.15)
    return mouth | {
        "half": half,
        "x2": x2,
        "line": line,
        "bottom": low + lower,
        "lips": _band(v, top - upper, low + lower) * inside,
        "lower_lip": _band(v, low, low + lower) * inside,
        "opening": _band(v, top, low) * _step((low - top - 0.02) / 0.03) * inside,
        "teeth": _band(v, top, np.minimum(top + 0.03 + 0.06 * points["smile"], low)),
    }


def _masks(points, u, a, v):
    """Masks of face, hair and head, and `out`, the relative distance from the midline (0) to the outline (1)."""
    crown, middle, chin = -1.25, -0.1, points["chin"]
    up = np.clip((middle - v) / (middle - crown), 0, 1)
    down2 = np.clip((v - middle) / (chin - middle), 0, 1) ** 2
    dome = np.sqrt(1 - up * up)
    width = points["face_width"] * dome * np.sqrt(1 - down2 * (1 - points["jaw"] + points["jaw"] * down2))
    face = _step((width - a) / 0.03) * _step((chin - v) / 0.03)
    neck = _step((0.65 * points["face_width"] - a) / 0.1) * _step((v - 0.6) / 0.2)
    ear = ((a - points["face_width"] - points["ear"]) / 0.07) ** 2 + ((v + 0.05) / 0.22) ** 2
    skull = (points["face_width"] + points["hair_volume"]) * dome
    hairline = points["hairline"] + points["hair_curve"] * (u - points["parting"]) ** 2
    hair = _step((skull - a) / 0.04) * _step((points["hair_end"] - v) / 0.3)
    hair = hair * np.maximum((1 - face) * (1 - neck), _step((hairline - v) / 0.06))
    head = np.maximum(np.maximum(face, hair), np.maximum(_step(2 * (1 - ear)), neck))
    return {
        "face": face,
        "hair": hair,
        "head": head,
        "out": a / np.maximum(width, 0.5 * points["face_width"]),
    }


def _creases(points, mouth, a, v):
    """Depth of wrinkles and folds, 0 on smooth skin."""
    total = 0.7 * points["furrow"] * _stroke((a - 0.06) / 0.03, (v + 0.36) / 0.14)
    for k in range(3):
        forehead = v - points["brow_peak"] + 0.10 + 0.075 * k - 0.08 * a
        total = total + 0.6 * points["brow_lines"] * _stroke(forehead / 0.025, a / 0.5)
        bridge = v + 0.22 - 0.10 * k - 0.5 * a
        total = total + 0.8 * points["nose_wrinkle"] * _stroke(bridge / 0.04, a / 0.17)
        temple = a - points["eye_distance"] - points["eye_width"]
        crow_foot = v - points["eye_height"] - 0.5 * (k - 1) * (temple + 0.03)
        total = total + 0.5 * points["crow_feet"] * _stroke(crow_foot / 0.02, (temple - 0.1) / 0.09)
    x = (a - points["eye_distance"]) / (points["eye_width"] + 0.03)
    bag = v - points["eye_height"] - 0.09 - points["lid_lower"] + 0.05 * x * x
    total = total + 0.5 * points["bag"] * _stroke(bag / 0.03, x)
    wing = points["nostril"] + 0.055
    total = total + 0.4 * _stroke((a - wing) / 0.035, (v - points["nose_tip"]) / 0.07)
    t = np.clip((v - points["nose_tip"] + 0.05) / (points["lip_line"] - points["nose_tip"] + 0.10), 0, 1)
    nasolabial = a - wing - (mouth["half"] + 0.08 - wing) * t * (1.5 - 0.5 * t)
    total = total + 0.7 * mouth["fold"] * _stroke(nasolabial / 0.045, 2 * t - 1)
    corner = (mouth["half"] + 0.045, points["lip_line"] + mouth["corner"])
    total = total + mouth["dimple"] * _blob(a, v, corner, (0.06, 0.11))
    marionette = a - mouth["half"] - 0.02 - 0.3 * (v - corner[1])
    total = total + 0.7 * points["marionette"] * _stroke(marionette / 0.03, (v - points["lip_line"] - 0.13) / 0.1)
    under_lip = v - mouth["bottom"] - 0.05 - 0.3 * a * a
    return total + (0.35 + 0.5 * points["chin_boss"]) * _stroke(under_lip / 0.045, a / 0.2)


def _relief(points, mouth, masks, a, v):
    """Height towards the camera, from head, eye sockets, nose, cheeks, lips and chin."""
    tip, width = points["nose_tip"], points["nose_width"]
    out2 = np.minimum(masks["out"] ** 2, 1.2)
    total = 0.42 - 0.21 * out2 * (1 + out2) - 0.12 * np.maximum(v, 0) ** 2 - 0.15 * np.maximum(-v - 0.4, 0) ** 2
    eye = (points["eye_distance"], points["eye_height"])
    total = total - points["socket"] * _blob(a, v, (eye[0] - 0.02, eye[1] - 0.02), (0.24, 0.17))
    total = total + 0.03 * _blob(a, v, eye, (0.15, 0.10))
    along = np.clip((v + 0.35) / (tip + 0.35), 0, 1)
    ridge = _bump((a / (0.09 + width * along)) ** 2) * along * _step((tip + 0.01 - v) / 0.16)
    total = total + points["nose_relief"] * ridge
    total = total + 0.05 * _blob(a, v, (0, tip - 0.03), (width + 0.02, 0.09))
    total = total + 0.05 * _blob(a, v, (points["nostril"] + 0.02, tip), (0.07, 0.07))
    cheek = _blob(a, v, (0.40, 0.22 - points["cheek_lift"]), (0.36, 0.34))
    total = total + (points["cheek"] + 0.03 * mouth["fold"]) * cheek
    total = total + 0.05 * mouth["lips"] + 0.03 * mouth["lower_lip"]
    return total + (0.04 + 0.05 * points["chin_boss"]) * _blob(a, v, (0, points["chin"] - 0.17), (0.24, 0.15))


def _light(relief, view):
    """Lambert's shading of the relief by one distant lamp, and an even light from all around."""
    per_unit = SIZE * OVERSAMPLING / 4
    du, dv = np.zeros_like(relief), np.zeros_like(relief)
    du[:, 1:-1] = per_unit * (relief[:, 2:] - relief[:, :-2])
    dv[1:-1] = per_unit * (relief[2:] - relief[:-2])
    facing = 1 - du * view["light_u"] - dv * view["light_v"]
    return 0.35 + 0.65 * np.maximum(0, facing) / np.sqrt(1 + du * du + dv * dv)


def _paint_skin(points, masks, u, a, v):
    """Grey of the skin, darker under the chin and nose, with beard and mole."""
    skin, tip = points["skin"], points["nose_tip"]
    tone = skin * (1 - 0.45 * _step((v - points["chin"]) / 0.15) * (1 - masks["face"]))
    tone = tone * (1 - 0.75 * _blob(a, v, (points["nostril"], tip + 0.035), (0.05, 0.04)))
    tone = tone * (1 - 0.2 * _stroke((v - tip - 0.06 + 0.3 * a) / 0.05, a / 0.2))
    beard = max(0.0, points["beard"]) * _step((v - 0.45 + 0.25 * a) / 0.3) * masks["face"]
    tone = _over(tone, beard, 0.5 * points["hair"] + 0.2 * skin)
    mole = _blob(u, v, (points["mole_u"], points["mole_v"]), (0.04, 0.04))
    return tone * (1 - 1.2 * max(0.0, points["mole"]) * mole)


def _paint_mouth(points, mouth, tone, v):
    tone = _over(tone, mouth["lips"], points["skin"] * points["lip_tone"] * (0.8 + 0.25 * mouth["lower_lip"]))
    seam = _bump(((v - mouth["line"]) / 0.03) ** 2) * np.maximum(0, 1 - 0.75 * mouth["x2"])
    tone = tone * (1 - (0.6 + 0.2 * points["tight"]) * seam)
    teeth = mouth["teeth"] * (1 - 0.5 * np.minimum(mouth["x2"], 1))
    return _over(tone, mouth["opening"], _over(0.07, teeth, 0.95))


def _paint_brows(points, tone, a, v):
    """Brows on a parabola through inner end, middle and outer end, thinner towards the temple."""
    t = (a - points["brow_gap"]) / (points["brow_reach"] - points["brow_gap"])
    curve = points["brow_inner"] * (1 - t) * (1 - 2 * t) + points["brow_outer"] * t * (2 * t - 1)
    curve = curve + points["brow_peak"] * 4 * t * (1 - t)
    half = points["brow_thickness"] * (1.8 - 0.8 * np.clip(t, 0, 1))
    brow = _bump(((v - curve) / half) ** 2) * _step((0.5 - np.abs(t - 0.5)) / 0.1)
    return _over(tone, points["brow_strength"] * np.minimum(1, 1.6 * brow), 0.6 * points["hair"])


def _strands(u, v):
    """Uneven hair strands that fan out from the parting, -1 to 1."""
    turns = [count * u / (1.7 + 0.6 * v) + 0.4 * v for count in (5, 8.3, 13.7)]
    saws = [turn - np.floor(turn) for turn in turns]
    return sum(8 * saw * (1 - saw) - 1 for saw in saws) / 3


def _paint_eyes(points, tone, a, v):
    """Eyeballs between the lids, lashes, the crease of the upper lid, and glasses."""
    distance, height = points["eye_distance"], points["eye_height"]
    x = (a - distance) / points["eye_width"]
    arch = np.maximum(0, 1 - x * x)
    upper = height - points["eye_tilt"] * x - max(points["lid_upper"], 0.012) * arch
    lower = height - points["eye_tilt"] * x + max(points["lid_lower"], 0.006) * arch
    from_pupil = np.sqrt((a - distance) ** 2 + (v - height + 0.008) ** 2)
    ball = _over(0.45 + 0.4 * points["skin"], _step((0.065 - from_pupil) / 0.02), points["iris"])
    ball = _over(ball, _step((0.028 - from_pupil) / 0.02), 0.02)
    ball = ball * (1 - 0.4 * _bump(((v - upper) / 0.04) ** 2))
    tone = tone * (1 - 0.35 * points["lid_crease"] * _stroke((v - upper + 0.05) / 0.03, x / 1.1))
    tone = _over(tone, _band(v, upper, lower) * _step(5 * (1 - x * x)), ball)
    tone = tone * (1 - 0.75 * _stroke((v - upper) / 0.028, x / 1.12))
    tone = tone * (1 - 0.3 * _stroke((v - lower) / 0.02, x / 1.08))
    ring = np.sqrt((a - distance) ** 2 + 1.3 * (v - height - 0.02) ** 2)
    frame = np.maximum(_bump(((ring - 0.22) / 0.025) ** 2), _stroke((v - height) / 0.025, a / 0.13))
    return tone * (1 - 0.8 * (points["glasses"] > 0) * frame)


def _shrink(image):
    """Means over blocks of OVERSAMPLING x OVERSAMPLING pixels, summed in a fixed order."""
    rows = sum(image[k::OVERSAMPLING] for k in range(OVERSAMPLING))
    return sum(rows[:, k::OVERSAMPLING] for k in range(OVERSAMPLING)) / OVERSAMPLING**2
