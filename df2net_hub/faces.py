"""Where the faces of a photograph are, and the square crop around each that the networks see."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import cv2
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
        roll: how far the head is turned counterclockwise in the photo, as far as the detector
            knows [deg]. The square is not turned with it.
    """

    x: float
    y: float
    side: float
    score: float
    found_by: str
    roll: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.side, self.roll)
        if not all(map(math.isfinite, numbers)) or self.side < 1:
            raise ValueError(
                "a FaceBox needs finite x, y and roll and a side of 1 px or more, got "
                f"x={self.x}, y={self.y}, side={self.side}, roll={self.roll}"
            )


Detector = Callable[[np.ndarray], list[FaceBox]]  # (H,W,3) uint8 RGB -> boxes, largest first


def crop_face(photo: np.ndarray, box: FaceBox, size: int, roll: float = 0.0) -> np.ndarray:
    """The square `box` of a photo (H,W,3) uint8 at `size` x `size`; outside, the edge repeats.

    The crop's pixel (u, v) shows the photo at x = box.x + (u + 0.5) box.side / size - 0.5, and y
    likewise, with pixel centers at integers. With a `roll` [deg] the square is turned about its
    middle: what is turned counterclockwise by as much in the photo stands upright in the crop.

    Raises:
        ValueError: the box lies wholly outside the photo or is many times as large.
    """
    height, width = photo.shape[:2]
    if box.x + box.side <= 0 or box.y + box.side <= 0 or box.x >= width or box.y >= height:
        raise ValueError(
            f"the box x={box.x:g}, y={box.y:g}, side={box.side:g} lies outside the photo of "
            f"{width} x {height} pixels"
        )
    if box.side > LARGEST_BOX * max(width, height):
        raise ValueError(
            f"the box of side {box.side:g} is more than {LARGEST_BOX} times as large as the photo "
            f"of {width} x {height} pixels"
        )
    if roll == 0:
        return _square(photo, box.x, box.y, box.side, size)
    margin = math.ceil(size * (math.sqrt(2) - 1) / 2)  # what a turned square's corners reach into
    wide, beyond = size + 2 * margin, margin * box.side / size
    around = _square(photo, box.x - beyond, box.y - beyond, box.side + 2 * beyond, wide)
    middle = (wide - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), -roll, 1)
    matrix[:, 2] -= margin
    return cv2.warpAffine(around, matrix, (size, size), flags=cv2.INTER_CUBIC)


def _square(photo: np.ndarray, x: float, y: float, side: float, size: int) -> np.ndarray:
    """(size,size,3) uint8: the square from (x, y) on of a photo whose edge is repeated."""
    height, width = photo.shape[:2]
    # Only what the box shows, and a margin for the filter, is padded: a photo can be large.
    margin = math.ceil(2 * max(side / size, 1)) + 1
    left, top = math.floor(x) - margin, math.floor(y) - margin
    columns = np.arange(left, math.ceil(x + side) + margin).clip(0, width - 1)
    rows = np.arange(top, math.ceil(y + side) + margin).clip(0, height - 1)
    padded = Image.fromarray(photo[rows[:, None], columns])
    window = (x - left, y - top, x + side - left, y + side - top)
    return np.array(padded.resize((size, size), Image.Resampling.BICUBIC, box=window))


def inside_photo(
    box: FaceBox, photo_size: tuple[int, int], size: int, roll: float = 0.0
) -> np.ndarray:
    """(size,size) bool: which pixels of a crop show a photo of (width, height) [px].

    `box`, `size` and `roll` are those of `crop_face`.
    """
    off_middle = ((np.arange(size) + 0.5) / size - 0.5) * box.side
    right, down = off_middle, off_middle[:, None]
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    x = box.x + box.side / 2 + cos * right + sin * down
    y = box.y + box.side / 2 - sin * right + cos * down
    width, height = photo_size
    return (x >= 0) & (x < width) & (y >= 0) & (y < height)


@dataclass(frozen=True)
class DlibDetector:
    """dlib's HOG detector of frontal faces, the paper's detector family; its model is compiled in.

    All faces that score at least `sure`; where there is none, those of the photo turned by a
    quarter, a half or three quarters, whichever has the surest; else the best one that scores at
    least `weakest`. Each `upsample` halves the smallest face that is found, at four times the time;
    a photo in which nothing was found is searched again with one more.
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
        found = self._search(searched, self.upsample) or self._search(searched, self.upsample + 1)
        boxes = (
            replace(box, x=box.x / scale, y=box.y / scale, side=box.side / scale) for box in found
        )
        return sorted(boxes, key=lambda box: -box.side)

    def _search(self, photo: np.ndarray, upsample: int) -> list[FaceBox]:
        upright = self._look(photo, upsample)
        if sure := self._sure(upright):
            return sure
        turned = [self._sure(self._look(photo, upsample, quarters)) for quarters in (1, 2, 3)]
        return max(turned, key=_best_score) or sorted(upright, key=lambda box: -box.score)[:1]

    def _look(self, photo: np.ndarray, upsample: int, quarters: int = 0) -> list[FaceBox]:
        """What dlib finds in the photo once it is turned counterclockwise by `quarters`."""
        searched = np.ascontiguousarray(np.rot90(photo, quarters))
        rectangles, scores, _ = _dlib_detector().run(searched, upsample, self.weakest)
        boxes = []
        for rectangle, score in zip(rectangles, scores, strict=True):
            side = CROP_SCALE * rectangle.width()
            # dlib's rectangles include their last pixel: their edges are left and right + 1.
            x = (rectangle.left() + rectangle.right() + 1 - side) / 2
            y = (rectangle.top() + rectangle.bottom() + 1 - side) / 2
            found = FaceBox(x, y, side, float(score), "dlib")
            boxes.append(_turned_back(found, quarters, photo) if quarters else found)
        return boxes

    def _sure(self, boxes: list[FaceBox]) -> list[FaceBox]:
        return [box for box in boxes if box.score >= self.sure]


def _best_score(boxes: list[FaceBox]) -> float:
    return max((box.score for box in boxes), default=-math.inf)


def _turned_back(box: FaceBox, quarters: int, photo: np.ndarray) -> FaceBox:
    """Where `box`, found in `np.rot90(photo, quarters)`, lies in `photo`."""
    height, width = photo.shape[:2]
    x, y = box.x + box.side / 2, box.y + box.side / 2
    middle = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[quarters]
    roll = {1: -90.0, 2: 180.0, 3: 90.0}[quarters]
    left, top = (along - box.side / 2 for along in middle)
    return replace(box, x=left, y=top, roll=roll)


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
