"""A photograph by an ideal camera: one exposure, gamma 2.2, nothing else."""

import numpy as np

from df2net_hub.synthesis.render import Render

KEY = 0.28  # linear brightness that the face is exposed to


def plain_photo(render: Render, behind: np.ndarray) -> np.ndarray:
    """(S,S,3) uint8 photo of a render over a linear background (S,S,3)."""
    linear = render.image + behind * (1 - render.coverage[..., None])
    face = linear[render.mask] if render.mask.any() else linear
    exposed = linear * (KEY / max(float(face.mean()), 1e-3)) ** 0.75
    return (np.clip(exposed, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)
