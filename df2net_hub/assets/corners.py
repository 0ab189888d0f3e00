"""Corners of eyes and mouth of sculpted heads, laid as far back as those of scanned people.

Artists see the corners of eyes and mouths from the front, and lay them too near: by 3.5 mm those at
the outside of MakeHuman's eyes, by 1.4 mm the others, beside the mean of ICT-FaceKit, which is made
of scans. Networks that learn from such heads find flat eyes in every photo.
"""

from dataclasses import replace

import numpy as np

from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.sculpted import SculptedHeads, placed

PEOPLE = 200  # of which the mean sculpted face is made
INNER = np.arange(17, 68)  # landmarks of brows, nose, eyes and mouth
# Both eyes, and the corners of the mouth; the other landmarks stay where the artists put them.
LAID_BACK = np.array([*range(36, 48), 48, 54, 60, 64])
REACH_CM = 1.0  # deviation of the Gaussians that carry landmarks' ways to what is around
STIFF = 0.02  # of their sum, so that neighbors are not torn apart


def with_corners_of(heads: SculptedHeads, model: MorphableModel) -> SculptedHeads:
    """`heads`, moved along z around eyes and mouth until their mean has the corners of `model`."""
    from scipy.interpolate import RBFInterpolator  # of the extra `assets`

    landmarks = model.landmarks68
    rng = np.random.default_rng(0)
    people = [
        placed(heads.shape(rng, rng.random(), rng.random()), model.vertices, landmarks)[landmarks]
        for _ in range(PEOPLE)
    ]
    way = np.zeros(68)
    way[LAID_BACK] = (model.vertices[landmarks] - np.mean(people, 0))[LAID_BACK, 2]
    carried = RBFInterpolator(
        model.vertices[landmarks[INNER]],
        way[INNER],
        smoothing=STIFF,
        kernel="gaussian",
        epsilon=1 / (np.sqrt(2) * REACH_CM),
        degree=-1,  # far from all landmarks nothing moves
    )
    moved = heads.vertices.copy()
    moved[:, 2] += carried(model.vertices)
    return replace(heads, vertices=moved)
