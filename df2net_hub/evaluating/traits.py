"""What a view is like, in words that make bins: its turn, expression, skin, light, age."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

YAWS = (15, 30, 45)  # [deg], borders of the bins
# Individual typology angle [deg] of skin: Chardon et al. 1991, Del Bino and Bernerd 2013.
TONES = (
    (55, "very light"), (41, "light"), (28, "intermediate"), (10, "tan"), (-30, "brown"),
)  # fmt: skip
DARKEST = "dark"
EVEN = 0.35  # of the strength that a single distant lamp would give


def bins_of(traits: Mapping[str, Any]) -> dict[str, str]:
    """Kind of bin -> the bin of a view, for what is known of it."""
    found = {}
    if (yaw := traits.get("yaw")) is not None:
        found["yaw"] = _yaw_bin(abs(float(yaw)))
    if (age := traits.get("age")) is not None:
        found["age"] = _age_bin(age)
    names = {"mood": "expression", "skin": "skin tone", "light": "light"}
    for trait, kind in names.items():
        if traits.get(trait) not in (None, ""):
            found[kind] = str(traits[trait])
    return found


def _yaw_bin(yaw: float) -> str:
    for low, high in zip((0, *YAWS), YAWS, strict=False):
        if yaw < high:
            return f"{low} to {high} deg"
    return f"over {YAWS[-1]} deg"


def _age_bin(age: Any) -> str:
    if isinstance(age, str):
        return age
    return "young" if age < 1 / 3 else "middle" if age < 2 / 3 else "old"


def skin_tone(albedo: np.ndarray, mask: np.ndarray) -> str | None:
    """Tone of an albedo (S,S,3) uint8 over `mask`, by its individual typology angle."""
    if not mask.any():
        return None
    lab = cv2.cvtColor(albedo[mask][None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    lightness, _, yellow = np.median(lab, axis=0)
    angle = np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-3)))
    return next((name for least, name in TONES if angle > least), DARKEST)


def light_kind(light: Sequence[Sequence[float]]) -> str:
    """Where light (3,9) in harmonics comes from: even, front, side, above, below or behind."""
    constant, z, x, y = np.asarray(light, np.float64).mean(axis=0)[:4]
    # A distant lamp's first-order coefficients are sqrt(3) times its constant one.
    strength = np.linalg.norm([x, y, z]) / (np.sqrt(3) * max(abs(constant), 1e-9))
    if strength < EVEN:
        return "even"
    if max(abs(x), abs(y)) < abs(z):
        return "front" if z > 0 else "behind"
    return "side" if abs(x) >= abs(y) else "above" if y > 0 else "below"
