"""Heights at the rim of a face, where the surface turns away from the camera."""

import cv2
import numpy as np

RINGS = 3  # of pixels, from the mask's edge inward
ALONG_PX = 3.0  # of the outline: deviation of the Gaussian that heights are averaged with


def even_rim(depth_px: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Heights (H,W) [px] with the outermost pixels of `mask` evened along its outline.

    A cheek falls by many pixels from one to the next where it turns away, so an outline that moves
    by a pixel from row to row is a saw once it is seen from the side. Each ring of pixels around
    the face is averaged along itself, the inner ones less.

    Args:
        depth_px: (H,W) height toward the camera [px].
        mask: (H,W) bool, the face; other pixels stay as they are.
    """
    framed = np.pad(mask, 1).astype(np.uint8)  # the picture's edge is an edge of the face
    inward = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    evened = depth_px.astype(np.float32)
    for ring in range(1, RINGS + 1):
        here = np.ceil(inward) == ring
        share = here.astype(np.float32)
        total = cv2.GaussianBlur(share * evened, (0, 0), ALONG_PX)
        mean = total / np.maximum(cv2.GaussianBlur(share, (0, 0), ALONG_PX), 1e-6)
        weight = 1 - (ring - 1) / RINGS
        evened[here] += np.float32(weight) * (mean - evened)[here]
    return evened
