"""The square around a face that a pair shows: like the crops that the pipeline makes of photos."""

import numpy as np

from df2net_hub.faces import Detector, FaceBox
from df2net_hub.importing.projection import View, frontal_pixels, frontal_view
from df2net_hub.importing.surface import FaceSurface, Rejected
from df2net_hub.pipelines.face_mask import box_around_mask
from df2net_hub.synthesis.raster import rasterize

# Overlap of a detected square with the square around the mesh, intersection over union. Below it,
# the detector has found somebody else or a part of the face.
LEAST_OVERLAP = 0.3
OUTLINE_SIDE = 256  # [px] at which a mesh's outline is drawn to measure it


def square_in_photo(surface: FaceSurface, detect: Detector) -> FaceBox:
    """The detector's square of this face in the photo; else the one around the mesh's outline."""
    own = outline_square(surface.pixels, surface.triangles)
    return best_overlap(detect(surface.photo), own)


def square_in_frontal_view(surface: FaceSurface, detect: Detector) -> FaceBox:
    """The same in the frame of `frontal_pixels`: the detector sees the face turned to the front."""
    own = outline_square(frontal_pixels(surface), surface.triangles)
    seen: View = frontal_view(surface, own, 2 * OUTLINE_SIDE)
    scale = own.side / (2 * OUTLINE_SIDE)
    found = [
        FaceBox(own.x + b.x * scale, own.y + b.y * scale, b.side * scale, b.score, b.found_by)
        for b in detect(seen.image)
    ]
    return best_overlap(found, own)


def outline_square(pixels: np.ndarray, triangles: np.ndarray) -> FaceBox:
    """The square around a mesh seen at `pixels` (V,2), by the rule for masks.

    Its middle is that of the outline's bounding box, its side the root of the outline's area over
    0.58, the mean share in crops of training (`face_mask.box_around_mask`).

    Raises:
        Rejected: the mesh covers nothing.
    """
    used = pixels[np.unique(triangles)]
    low, high = used.min(axis=0), used.max(axis=0)
    longer = float((high - low).max()) + 1
    scale = (OUTLINE_SIDE - 1) / longer
    plane = (pixels - low) * scale
    points = np.column_stack([plane, np.zeros(len(plane))])
    covered = rasterize(points, triangles, OUTLINE_SIDE)[1] >= 0
    if covered.sum() < 16:
        raise Rejected("a mesh that covers nothing")
    x, y, side = box_around_mask(covered)
    left, top = (np.array([x, y]) - 0.5) / scale + low + 0.5
    return FaceBox(float(left), float(top), side / scale, 0.0, "mesh")


def best_overlap(found: list[FaceBox], own: FaceBox) -> FaceBox:
    """Of `found` the box that overlaps `own` most; `own` if none does by LEAST_OVERLAP."""
    overlaps = [_overlap(box, own) for box in found]
    best = int(np.argmax(overlaps)) if overlaps else -1
    return found[best] if best >= 0 and overlaps[best] >= LEAST_OVERLAP else own


def _overlap(a: FaceBox, b: FaceBox) -> float:
    width = min(a.x + a.side, b.x + b.side) - max(a.x, b.x)
    height = min(a.y + a.side, b.y + b.side) - max(a.y, b.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (a.side**2 + b.side**2 - shared)
