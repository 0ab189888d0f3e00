"""Do eyes, noses and mouths of renders look like those of photographs?

    python benchmarks/face_looks.py FOLDER POINTS [FOLDER POINTS ...]

Each FOLDER holds photos of faces, each POINTS what `scripts/face_points.py FOLDER -o POINTS` found
in them. Pictures of a rendered set come into a folder by (by its name alone `datasets` would bring
back what it has cached of another set of that name)

    from datasets import load_dataset
    pairs = load_dataset("parquet", data_files="SET/*.parquet", split="train")
    for i, row in enumerate(pairs):
        row["image"].save(f"FOLDER/{i:04d}.png")

Printed are medians and deviations over open eyes, and over the sides of noses, the lips and the
sides of smiles seen from the front. Lengths are over the distance of the pupils, brightness is
linear and over that of the cheek; faces whose cheeks are nearly black or white are left out. Folds
and grooves are how much darker the darkest line is than the lighter skin on either side of it. How
red the lower lip is, is the logarithm of red over green, less that of the cheek beside the mouth.
What `synthesis/lids.py`, the iris's size, the eyes' axes, `synthesis/lips.py`, and folds
of lids, noses and smiles in `synthesis/wrinkles.py` are set by.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from df2net_hub.srgb import GAMMA

# Points of MediaPipe's mesh: around the eye from one corner over the upper lid to the other and
# back, the iris's middle and two opposite ends, the cheek.
EYES = (
    ([33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
     468, (469, 471), 50),
    ([263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
     473, (474, 476), 280),
)  # fmt: skip
OUTER_CORNERS, TIP = (33, 263), 4
WINGS = (129, 50), (358, 280)  # of the nose: a wing's outermost point, the cheek
SPAN = 600  # pixels between the outer corners that every photo is brought to
FOLDS_AWAY = np.arange(20, 90, 2)[:, None] * [0, 1]  # from the lid's edge, for folds
OPEN = 0.075  # of that, between the lids, from where on an eye counts as open
CROWS_FEET_OUT, CROWS_FEET_DOWN = (55, 80), np.arange(-60, 75, 2)  # from an eye's outer corner
FRONT = 0.75  # between tip and outer corners, the shorter way over the longer, from where on
GROOVE_AWAY = np.arange(-45, 60, 2)  # from a wing's outermost point, outward
PUPILS, CORNERS = (468, 473), (61, 291)  # of the mouth
UPPER_LIP, LOWER_LIP = (0, 13), (14, 17)  # outer and inner edge in the middle, inner and outer
# Above and outside each half of the mouth: upper lip, cheek before the fold's end, a mouth's corner
# and the other one.
SMILES = (165, 205, 61, 291), (391, 425, 291, 61)
SMILING = 0.04  # that the corners lie above the middle of the lips, over the pupils' distance
FOLD_ALONG = np.arange(0, 1.25, 0.01)[:, None]  # from upper lip to cheek
CORNER_AWAY = np.arange(0, 90, 2)[:, None]  # from a mouth's corner, outward
CHEEKS = (0.12, 0.9)  # brightness of those that count
LOOKS = {
    "eyes": ("iris", "pupils over corners", "lids apart", "upper white", "lower white",
             "brightest in iris", "lid's line", "fold above", "line below", "crow's feet"),
    "sides of noses": ("groove of wing",),
    "mouths": ("upper lip's height", "lower lip's height", "redness of lower lip"),
    "sides of smiles": ("fold beside nose", "fold beside mouth"),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="FOLDER POINTS")
    args = parser.parse_args()
    if len(args.sets) % 2:
        parser.error("a folder of photos and its points are wanted, in turns")
    for folder, points in zip(args.sets[::2], args.sets[1::2], strict=True):
        looks: dict[str, list[list[float]]] = {part: [] for part in LOOKS}
        with np.load(points, allow_pickle=False) as found:
            for name in found.files:
                color, places = brought_to_size(linear(Path(folder) / name), found[name])
                photo = color.mean(-1)
                looks["eyes"] += eyes_of(photo, places)
                looks["sides of noses"] += nose_of(photo, places)
                looks["mouths"] += mouth_of(color, places)
                looks["sides of smiles"] += smile_of(photo, places)
        print(folder)
        for part, names in LOOKS.items():
            if not looks[part]:
                parser.error(f"{folder}: {points} shows none of the {part} that can be measured")
            values = np.array(looks[part])
            print(f"  {len(values)} {part}")
            for name, middle, deviation in zip(
                names, np.median(values, 0), values.std(0), strict=True
            ):
                print(f"    {name:20s}{middle:6.2f} +- {deviation:.2f}")


def linear(path: Path) -> np.ndarray:
    """(H,W,3) float32 linear colors of a photo."""
    photo = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
    return np.asarray(photo**GAMMA)


def brought_to_size(photo: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`photo` (H,W) or (H,W,3), the outer corners SPAN apart, and `points` (478,2) in it."""
    corners = points[list(OUTER_CORNERS)]
    scale = SPAN / np.hypot(*(corners[1] - corners[0]))
    shift = np.array([1.5 * SPAN / 2, SPAN / 2]) - corners.mean(0) * scale
    onto = np.column_stack([np.eye(2) * scale, shift]).astype(np.float32)
    photo = cv2.warpAffine(photo, onto, (int(1.5 * SPAN), int(1.5 * SPAN)), flags=cv2.INTER_LINEAR)
    return photo, points * scale + shift


def eyes_of(photo: np.ndarray, points: np.ndarray) -> list[list[float]]:
    """LOOKS of the open eyes of a face that was `brought_to_size`."""
    pupils = np.hypot(*(points[473] - points[468]))
    rows, columns = np.indices(photo.shape)
    found = []
    for around, middle, ends, cheek_point in EYES:
        upper, lower = points[around[4]], points[around[12]]
        cheek = np.median(photo[patch(points[cheek_point], 20)])
        if lower[1] - upper[1] < OPEN * SPAN or not CHEEKS[0] < cheek < CHEEKS[1]:
            continue
        inside = np.zeros(photo.shape, np.uint8)
        cv2.fillPoly(inside, [points[around].astype(np.int32)], 1)
        inside = cv2.erode(inside, np.ones((7, 7)))
        iris = np.hypot(*(points[ends[0]] - points[ends[1]]))
        away = np.hypot(columns - points[middle][0], rows - points[middle][1]) / (iris / 2)
        white, colored = (inside > 0) & (away > 1.15), (inside > 0) & (away < 0.9)
        if min(white.sum(), colored.sum()) < 300:
            continue
        low, high = np.quantile(rows[white], [0.3, 0.7])
        edge = [photo[patch(upper + [0, step], 15, 1)].mean() for step in range(-24, 14, 2)]
        found.append(
            [
                float(iris / pupils),
                float(pupils / SPAN),
                float((lower - upper)[1] / pupils),
                float(np.median(photo[white & (rows < low)]) / cheek),
                float(np.median(photo[white & (rows > high)]) / cheek),
                float(np.quantile(photo[colored], 0.995) / cheek),
                float(min(edge) / cheek),
                darkest_line(photo, upper - FOLDS_AWAY, 15, 1),
                darkest_line(photo, lower + FOLDS_AWAY, 15, 1),
                crows_feet(photo, points, points[around[0]]),
            ]
        )
    return found


def crows_feet(photo: np.ndarray, points: np.ndarray, corner: np.ndarray) -> float:
    """How dark the darkest line is that a way down beside the outer `corner` of an eye crosses."""
    outward = (corner - points[list(OUTER_CORNERS)].mean(0)) / (SPAN / 2)
    down = np.sign(outward[0]) * np.array([-outward[1], outward[0]])
    ways = (corner + outward * out + down * CROWS_FEET_DOWN[:, None] for out in CROWS_FEET_OUT)
    return float(np.mean([darkest_line(photo, way, 8, 1) for way in ways]))


def nose_of(photo: np.ndarray, points: np.ndarray) -> list[list[float]]:
    """LOOKS of both sides of a nose, of a face that was `brought_to_size`; none if it is turned."""
    if not from_front(points):
        return []
    found = []
    for wing, cheek_point in WINGS:
        outward = points[wing] - points[TIP]
        outward /= np.hypot(*outward)
        cheek = np.median(photo[patch(points[cheek_point], 20)])
        if CHEEKS[0] < cheek < CHEEKS[1]:
            way = points[wing] + outward * GROOVE_AWAY[:, None]
            found.append([darkest_line(photo, way, 3, 3)])
    return found


def mouth_of(color: np.ndarray, points: np.ndarray) -> list[list[float]]:
    """LOOKS of the lips of a face that was `brought_to_size` in color; none if it is turned."""
    skin = np.concatenate(
        [color[patch(points[cheek], 12)].reshape(-1, 3) for _, cheek, *_ in SMILES]
    )
    tone = np.median(skin, 0)
    if not (from_front(points) and CHEEKS[0] < tone.mean() < CHEEKS[1]):
        return []
    pupils = np.hypot(*(points[PUPILS[1]] - points[PUPILS[0]]))
    heights = [np.hypot(*(points[a] - points[b])) / pupils for a, b in (UPPER_LIP, LOWER_LIP)]
    lip = np.median(color[patch(points[list(LOWER_LIP)].mean(0), 20, 6)].reshape(-1, 3), 0)
    red = np.log(np.maximum(lip, 1e-3) / np.maximum(tone, 1e-3))
    return [[*(float(height) for height in heights), float(red[0] - red[1])]]


def smile_of(photo: np.ndarray, points: np.ndarray) -> list[list[float]]:
    """LOOKS of both sides of a smile, of a face that was `brought_to_size`; none without one."""
    pupils = np.hypot(*(points[PUPILS[1]] - points[PUPILS[0]]))
    middle = points[[UPPER_LIP[1], LOWER_LIP[0]], 1].mean()
    if not from_front(points) or middle - points[list(CORNERS), 1].mean() < SMILING * pupils:
        return []
    found = []
    for lip, cheek, corner, other in SMILES:
        if CHEEKS[0] < np.median(photo[patch(points[cheek], 20)]) < CHEEKS[1]:
            outward = (points[corner] - points[other]) / np.hypot(*(points[corner] - points[other]))
            across = points[lip] + (points[cheek] - points[lip]) * FOLD_ALONG
            beside = points[corner] + outward * CORNER_AWAY
            found.append([darkest_line(photo, across, 3, 3), darkest_line(photo, beside, 3, 3)])
    return found


def from_front(points: np.ndarray) -> bool:
    """Whether both outer corners of the eyes are about as far from the nose's tip."""
    aside = np.abs(points[list(OUTER_CORNERS), 0] - points[TIP, 0])
    return bool(aside.min() >= FRONT * aside.max())


def darkest_line(photo: np.ndarray, way: np.ndarray, wide: int, high: int) -> float:
    """How much darker than the lighter skin before and after it the darkest point of a way is, 0-1.

    Of each point of `way` (n,2) the mean of `patch` counts.
    """
    seen = np.array([photo[patch(point, wide, high)].mean() for point in way])
    before, after = np.maximum.accumulate(seen), np.maximum.accumulate(seen[::-1])[::-1]
    return float((1 - seen / np.maximum(np.minimum(before, after), 1e-3)).max())


def patch(middle: np.ndarray, wide: int, high: int | None = None) -> tuple[slice, slice]:
    """The rectangle around a point, `wide` and `high` pixels to either side, in the picture."""
    column, row = middle.clip(wide, int(1.5 * SPAN) - wide).astype(int)
    high = wide if high is None else high
    return slice(row - high, row + high), slice(column - wide, column + wide)


if __name__ == "__main__":
    main()
