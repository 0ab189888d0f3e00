"""Where the faces of a photograph are, and the square crop around each that the networks see."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from PIL import Image

GROUP = "df2net_hub.detectors"
CROP_SCALE = 1.6  # side of the crop over the side of dlib's box, as in the training pairs
SURE_SCORE = 0.25  # below it, badges and folds of clothes pass for faces too
WEAKEST_SCORE = -0.25  # dlib's own threshold is 0; some turned heads score less
SEARCHED_SIDE = (
    600,
    1200,
)  # longer side of the photo that dlib searches, shortest and longest [px]
LARGEST_BOX = 4  # sides of the photo


@dataclass(frozen=True)
class FaceBox:
    """The square of a photograph that a crop covers; it may reach outside the photograph.

    Attributes:
        x, y: left and upper edge [px]; the photo's first pixel covers 0 to 1.
        side: its length [px].
        score: how sure the detector is, larger is surer, on the detector's own scale.
        found_by: the detector's name, "mask" or "given".
    """

    x: float
    y: float
    side: float
    score: float
    found_by: str

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, self.side))) or self.side < 1:
            raise ValueError(
                "a FaceBox needs finite x and y and a side of 1 px or more, got "
                f"x={self.x}, y={self.y}, side={self.side}"
            )


Detector = Callable[[np.ndarray], list[FaceBox]]  # (H,W,3) uint8 RGB -> boxes, largest first


def crop_face(photo: np.ndarray, box: FaceBox, size: int) -> np.ndarray:
    """The square `box` of a photo (H,W,3) uint8 at `size` x `size`; outside, the edge repeats.

    The crop's pixel (u, v) shows the photo at x = box.x + (u + 0.5) box.side / size - 0.5, and y
    likewise, with pixel centers at integers.

    Raises:
        ValueError: the box lies wholly outside the photo or is many times as large.
    """
    height, width = photo.shape[:2]
    right, below = box.x + box.side, box.y + box.side
    if right <= 0 or below <= 0 or box.x >= width or box.y >= height:
        raise ValueError(
            f"the box x={box.x:g}, y={box.y:g}, side={box.side:g} lies outside the photo of "
            f"{width} x {height} pixels"
        )
    if box.side > LARGEST_BOX * max(width, height):
        raise ValueError(
            f"the box of side {box.side:g} is more than {LARGEST_BOX} times as large as the photo "
            f"of {width} x {height} pixels"
        )
    # Only what the box shows, and a margin for the filter, is padded: a photo can be large.
    margin = math.ceil(2 * max(box.side / size, 1)) + 1
    left, top = math.floor(box.x) - margin, math.floor(box.y) - margin
    columns = np.arange(left, math.ceil(right) + margin).clip(0, width - 1)
    rows = np.arange(top, math.ceil(below) + margin).clip(0, height - 1)
    padded = Image.fromarray(photo[rows[:, None], columns])
    window = (box.x - left, box.y - top, right - left, below - top)
    return np.array(padded.resize((size, size), Image.Resampling.BICUBIC, box=window))


def inside_photo(box: FaceBox, photo_size: tuple[int, int], size: int) -> np.ndarray:
    """(size,size) bool: which pixels of the crop of `box` show a photo of (width, height) [px]."""
    along = (np.arange(size) + 0.5) * box.side / size
    x, y, (width, height) = box.x + along, box.y + along, photo_size
    return ((y >= 0) & (y < height))[:, None] & (x >= 0) & (x < width)


@dataclass(frozen=True)
class DlibDetector:
    """dlib's HOG detector of frontal faces, the paper's detector family; its model is compiled in.

    All faces that score at least `sure`; if there is none, the best one that scores at least
    `weakest`. Each `upsample` halves the smallest face that is found, at four times the time; a
    photo in which nothing was found is searched again with one more.
    """

    sure: float = SURE_SCORE
    weakest: float = WEAKEST_SCORE
    upsample: int = 0

    def __call__(self, photo: np.ndarray) -> list[FaceBox]:
        """The boxes of the faces in `photo` (H,W,3) uint8 RGB, largest first."""
        longer = max(photo.shape[:2])
        scale = min(max(longer, SEARCHED_SIDE[0]), SEARCHED_SIDE[1]) / longer
        searched = photo
        if scale != 1:
            size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
            searched = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))
        found = self._search(searched, scale, self.upsample)
        found = found or self._search(searched, scale, self.upsample + 1)
        sure = [box for box in found if box.score >= self.sure]
        best = sorted(found, key=lambda box: -box.score)[:1]
        return sorted(sure or best, key=lambda box: -box.side)

    def _search(self, photo: np.ndarray, scale: float, upsample: int) -> list[FaceBox]:
        rectangles, scores, _ = _dlib_detector().run(photo, upsample, self.weakest)
        boxes = []
        for rectangle, score in zip(rectangles, scores, strict=True):
            side = CROP_SCALE * rectangle.width() / scale
            # dlib's rectangles include their last pixel: their edges are left and right + 1.
            x = (rectangle.left() + rectangle.right() + 1) / 2 / scale - side / 2
            y = (rectangle.top() + rectangle.bottom() + 1) / 2 / scale - side / 2
            boxes.append(FaceBox(x, y, side, float(score), "dlib"))
        return boxes


@cache
def _dlib_detector() -> Any:
    import dlib  # building its detector takes a second: not before a photo is searched

    return dlib.get_frontal_face_detector()


def whole_photo(photo: np.ndarray) -> list[FaceBox]:
    """The photo (H,W,3) is already a crop around a face: the smallest square that holds it."""
    height, width = photo.shape[:2]
    side = float(max(height, width))
    return [FaceBox((width - side) / 2, (height - side) / 2, side, 1.0, "none")]


DETECTOR = "dlib"  # where none is named
BUILT_IN: dict[str, Detector] = {DETECTOR: DlibDetector(), "none": whole_photo}


def list_detectors() -> list[str]:
    """Names that `get_detector` knows, those of plugins included; imports none of them."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def get_detector(name: str) -> Detector:
    """The detector of that name: `dlib`, `none`, or one that a package offers under the group.

    Raises:
        LookupError: no such detector.
        ValueError: two packages offer it, or one offers a built-in name.
        Exception: whatever a broken plugin raises when it is imported.
    """
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    places = [point.value for point in points]
    if name in BUILT_IN:
        places.insert(0, "df2net_hub.faces")
    if len(places) > 1:
        raise ValueError(f"two detectors are named {name!r}: {' and '.join(places)}; uninstall one")
    if name in BUILT_IN:
        return BUILT_IN[name]
    if not points:
        raise LookupError(
            f"no detector named {name!r}; known: {', '.join(list_detectors())}. "
            f"Plugins add names through the {GROUP!r} entry point."
        )
    return points[0].load()
