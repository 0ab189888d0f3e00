"""Forms that no head model knows: smooth random relief over a whole head.

A network that knows the faces of its models only takes depths from where eyes, nose and mouth lie
in the picture; what a model does not predict has to be read from light and outline.
"""

import numpy as np

# Length over which a form changes [cm], and how far it moves the surface (deviation) [cm].
SCALES = ((0.9, 0.05), (1.5, 0.09), (2.5, 0.15), (4.0, 0.21))
WAVES = 16  # of each scale
SYMMETRIC = 0.7  # share of the waves
# How many times as strong a head's forms are at most. Twice as much teaches to read more of them,
# and to see some where there are none: photos of people were none the better for it.
STRONGEST = 2.0
MOVES = np.array([0.0, 0.45, 0.9])  # deviations of up and forward; sideways heads differ anyway


def random_forms(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """(V,3) random smooth motion [cm] of `points` (V,3) [cm], symmetric for the most part.

    A sum of plane waves with random vectors from a normal distribution, which is a Gaussian random
    field whose values at two points resemble each other within a scale's length. How strong it is
    differs between heads.
    """
    strength = rng.uniform(0, STRONGEST)
    lengths, sizes = np.repeat(np.array(SCALES), WAVES, 0).T
    waves = rng.standard_normal((len(lengths), 3)) / lengths[:, None]
    phases = rng.uniform(0, 2 * np.pi, (len(lengths), 2))
    phases[rng.random(len(lengths)) < SYMMETRIC, 0] = 0
    ways = rng.standard_normal((len(lengths), 3)) * MOVES
    ways *= (strength * 2 * sizes / np.sqrt(WAVES))[:, None]
    # Three million cosines a head: many times as fast in half the precision, which is plenty.
    x, rest, frequencies, shifts, moves = (
        values.astype(np.float32) for values in (points[:, 0], points[:, 1:], waves, phases, ways)
    )
    across = np.cos(np.outer(x, frequencies[:, 0]) + shifts[:, 0])
    along = np.cos(rest @ frequencies[:, 1:].T + shifts[:, 1])
    return np.asarray((across * along) @ moves)
