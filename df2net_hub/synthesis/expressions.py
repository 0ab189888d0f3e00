"""Expressions by family: how people look into cameras, and now and then any muscles at all."""

from dataclasses import dataclass

import numpy as np

from df2net_hub.synthesis.morphable import MorphableModel

# Family -> its share. A third of portraits smile with visible teeth.
MOODS = {
    "neutral": 0.22,
    "smile": 0.15,
    "smile with teeth": 0.30,
    "talking": 0.09,
    "surprised": 0.06,
    "stern": 0.08,
    "squinting": 0.03,
    "any": 0.07,
}


@dataclass(frozen=True)
class Expression:
    """Weights (E,) of a model's expression offsets, and what wrinkles the skin, each 0 to 1.

    `shut` is how far the eyes are.
    """

    mood: str
    weights: np.ndarray
    raised: float
    frowning: float
    squinting: float
    smiling: float
    shut: float


# Range of each movement in a family, of ARKit-style names without _L and _R.
_MOVES: dict[str, dict[str, tuple[float, float]]] = {
    "neutral": {
        "mouthPress": (0, 0.2), "browInnerUp": (0, 0.15), "mouthFrown": (0, 0.15),
        "eyeSquint": (0, 0.3),
    },
    "smile": {
        "mouthSmile": (0.25, 0.8), "mouthDimple": (0, 0.3), "cheekSquint": (0.1, 0.6),
        "eyeSquint": (0.1, 0.7), "mouthPress": (0, 0.25),
    },
    "smile with teeth": {
        "mouthSmile": (0.45, 1.0), "mouthUpperUp": (0.15, 0.55), "mouthLowerDown": (0.15, 0.55),
        "mouthStretch": (0, 0.3), "cheekSquint": (0.2, 0.8), "eyeSquint": (0.2, 0.9),
        "jawOpen": (0, 0.14),
    },
    "talking": {
        "jawOpen": (0.05, 0.4), "mouthUpperUp": (0, 0.35), "mouthLowerDown": (0, 0.5),
        "mouthFunnel": (0, 0.5), "mouthStretch": (0, 0.3), "browInnerUp": (0, 0.4),
    },
    "surprised": {
        "browInnerUp": (0.4, 1), "browOuterUp": (0.3, 1), "eyeWide": (0.2, 0.8),
        "jawOpen": (0, 0.45), "mouthSmile": (0, 0.3),
    },
    "stern": {
        "browDown": (0.3, 1), "eyeSquint": (0, 0.5), "mouthPress": (0, 0.6),
        "mouthFrown": (0, 0.6), "noseSneer": (0, 0.3),
    },
    "squinting": {
        "eyeSquint": (0.5, 1), "cheekSquint": (0.3, 1), "browDown": (0, 0.5),
        "mouthUpperUp": (0, 0.4), "noseSneer": (0, 0.4),
    },
    "any": {},
}  # fmt: skip


def sample_expression(rng: np.random.Generator, model: MorphableModel) -> Expression:
    """Draw a family, then the strength of its movements; left and right mostly together."""
    mood = str(rng.choice(list(MOODS), p=list(MOODS.values())))
    moves = {name: rng.uniform(*span) for name, span in _MOVES[mood].items()}
    if mood == "any":
        names = sorted({_base(name) for name in model.expression_names} - {"PupilDilate"})
        few = rng.choice(len(names), min(len(names), int(rng.integers(2, 7))), replace=False)
        moves = {names[i]: rng.uniform(0, 0.5 if names[i] == "jawOpen" else 0.8) for i in few}
    # The models' faces at rest stare: real lids cover the upper rim of the iris.
    relaxed = rng.uniform(0.05, 0.48) * (1 - moves.get("eyeWide", 0))
    # Shut eyes are rare in portraits, but not where the sun or a scanner's flashes shine.
    low, shut = rng.uniform(0.2, 0.6), rng.random() < 0.65
    moves["eyeBlink"] = float(relaxed if rng.random() > 0.25 else 1.0 if shut else low)
    uneven = 1 - abs(rng.normal(0, 0.12)) * np.array([rng.random() < 0.5, rng.random() < 0.5])
    weights = np.zeros(len(model.expression_names))
    for i, name in enumerate(model.expression_names):
        side = uneven[0] if name.endswith("_L") else uneven[1] if name.endswith("_R") else 1.0
        weights[i] = min(moves.get(_base(name), 0) * side, 1)
    return Expression(
        mood=mood,
        weights=weights,
        raised=max(moves.get("browOuterUp", 0), 0.8 * moves.get("browInnerUp", 0)),
        frowning=max(moves.get("browDown", 0), 0.5 * moves.get("noseSneer", 0)),
        squinting=max(moves.get("eyeSquint", 0), 0.8 * moves.get("cheekSquint", 0)),
        smiling=max(moves.get("mouthSmile", 0), 0.6 * moves.get("mouthUpperUp", 0)),
        shut=moves["eyeBlink"],
    )


def neutral(model: MorphableModel) -> Expression:
    """The face at rest."""
    return Expression("neutral", np.zeros(len(model.expression_names)), 0, 0, 0, 0, 0)


def _base(name: str) -> str:
    return name.removesuffix("_L").removesuffix("_R")
