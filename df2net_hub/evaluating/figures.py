"""Figures of an evaluation: the paper's surfaces, heat maps and curves; where the error lies."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from df2net_hub.evaluating.methods import PLANE, DepthMap
from df2net_hub.evaluating.run import CURVE_MM, Evaluation, Pictured
from df2net_hub.evaluation import normals_of
from df2net_hub.modeling.cascade import SLOTS

TILE = 200  # side of a picture [px]
LABEL = 26
MARGIN = 1.1  # a tile's side over the face's longer side
PAPER, INK, EMPTY = 250, 60, 234  # [0,255]
LAMP = np.array([-0.45, 0.45, 0.77])  # x right, y up, z toward the camera
MOST_PERCENT = 20  # of the true relief; where the colors of heat maps end
MOST_MM = 4.0  # too near or too far; where the colors of mean errors end
NEAR, FAR = (178, 24, 43), (33, 102, 172)  # red and blue
RELIEF_PERCENTILES = (1, 99)  # between which the true relief is measured
CURVE_SIZE = (1800, 1120)  # drawn twice as large as shown, for smooth lines
CURVE_END_MM = 12.0
FRAME = (140, 60, 40, 120)  # left, top, right, below [px]
COLORS = (
    (31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14),
    (140, 86, 75), (227, 119, 194), (127, 127, 127), (188, 189, 34), (23, 190, 207),
)  # fmt: skip


def figures(evaluation: Evaluation) -> dict[str, np.ndarray]:
    """File name -> (H,W,3) uint8; those for which there is something to show."""
    found = {"curves.png": curves_figure(evaluation)}
    if evaluation.pictured:
        others = [name for name in evaluation.methods if name != PLANE]
        stages = [name for name in SLOTS if name in evaluation.methods]
        if stages:
            found["stages.png"] = surfaces_figure(evaluation.pictured, stages)
        last = [name for name in others if name not in stages[:-1]]
        if set(last) - set(stages):
            found["methods.png"] = surfaces_figure(evaluation.pictured, last)
        found["heatmaps.png"] = heat_figure(evaluation.pictured, others or [PLANE])
    shown = {name: one for name, one in evaluation.mean_errors.items() if name != PLANE}
    if shown:
        found["mean_errors.png"] = mean_error_figure(shown)
    return found


def surfaces_figure(pictured: Sequence[Pictured], names: Sequence[str]) -> np.ndarray:
    """Rows of views: the photo, `names` in clay, the truth in clay (Figures 6 and 7)."""
    rows = []
    for one in pictured:
        view, window = one.view, _window(one.view.mask)
        tiles = [_tile(view.photo[window])]
        for name in names:
            shown = one.maps.get(name)
            tiles.append(_empty() if shown is None else _tile(_clay_of(shown, one)[window]))
        tiles.append(_tile(clay(view.depth_mm, view.mask, view.mm_per_px)[window]))
        rows.append(np.hstack(tiles))
    return np.vstack([_labels(["photo", *names, "truth"]), *rows])


def heat_figure(pictured: Sequence[Pictured], names: Sequence[str]) -> np.ndarray:
    """Rows of views: the photo, the error of `names` in percent of the true relief (Figure 8)."""
    rows = []
    for one in pictured:
        window = _window(one.view.mask)
        tiles = [_tile(one.view.photo[window])]
        for name in names:
            error = one.nearer_mm.get(name)
            if error is None:
                tiles.append(_empty())
                continue
            percent = 100 * np.abs(error) / true_relief_mm(one.view.depth_mm, one.view.mask)
            tiles.append(_tile(heat(percent)[window]))
        rows.append(np.hstack(tiles))
    width = TILE * (1 + len(names))
    bar = heat(np.linspace(0, MOST_PERCENT, width - TILE // 2)[None])
    end = f"{MOST_PERCENT} % and more of the true relief"
    scale = _scale(bar, ("0 %", f"{MOST_PERCENT // 2} %", end))
    return np.vstack([_labels(["photo", *names]), *rows, scale])


def mean_error_figure(mean_errors: Mapping[str, np.ndarray]) -> np.ndarray:
    """A face for each method: where it comes out too near (red) and too far (blue) on average."""
    tiles = [_tile(signed(one)) for one in mean_errors.values()]
    bar = signed(np.linspace(-MOST_MM, MOST_MM, max(TILE * len(tiles) - TILE // 2, 1))[None])
    scale = _scale(bar, (f"{MOST_MM:.0f} mm too far", "", f"{MOST_MM:.0f} mm too near"))
    return np.vstack([_labels(list(mean_errors)), np.hstack(tiles), scale])


def signed(error_mm: np.ndarray) -> np.ndarray:
    """(H,W,3) uint8: white where (H,W) is 0, red above, blue below, gray where NaN."""
    known = np.isfinite(error_mm)
    share = np.clip(np.where(known, error_mm, 0) / MOST_MM, -1, 1)[..., None]
    ends = np.where(share > 0, np.array(NEAR), np.array(FAR))
    colors = (255 + np.abs(share) * (ends - 255)).astype(np.uint8)
    return np.where(known[..., None], colors, np.uint8(EMPTY))


def true_relief_mm(depth_mm: np.ndarray, mask: np.ndarray) -> float:
    """From the far to the near end of the true face [mm], less one percent at each."""
    low, high = np.percentile(depth_mm[mask], RELIEF_PERCENTILES)
    return max(float(high - low), 1e-6)


def heat(percent: np.ndarray) -> np.ndarray:
    """(H,W,3) uint8 colors of errors (H,W) [%], gray where NaN."""
    known = np.isfinite(percent)
    share = np.where(known, np.clip(percent / MOST_PERCENT, 0, 1), 0)
    colors = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1]
    return np.where(known[..., None], colors, np.uint8(EMPTY))


def clay(depth_mm: np.ndarray, mask: np.ndarray, mm_per_px: float) -> np.ndarray:
    """(H,W,3) uint8: heights (H,W) [mm] as clay under one lamp, gray off `mask`."""
    known = mask & np.isfinite(depth_mm)
    if not known.any():
        return np.full((*mask.shape, 3), EMPTY, np.uint8)
    filled = np.where(known, depth_mm, depth_mm[known].min())
    normals = normals_of(filled, mm_per_px)
    light = np.clip(normals @ (LAMP / np.linalg.norm(LAMP)), 0, 1)
    gray = ((0.08 + 0.88 * light) * 255).astype(np.uint8)
    # The edge's normals look over the brink of the map.
    inner = cv2.erode(np.pad(known, 1).astype(np.uint8), np.ones((3, 3)))[1:-1, 1:-1] > 0
    return np.where(inner, gray, np.uint8(EMPTY))[..., None].repeat(3, axis=-1)


def curves_figure(evaluation: Evaluation) -> np.ndarray:
    """Share of the pixels whose error is at most so many mm, mean over views with a result."""
    curves = {}
    for name in evaluation.methods:
        found = [result.curves[name] for result in evaluation.results if name in result.curves]
        if found:
            curves[name] = np.mean(found, axis=0)
    return draw_curves(curves)


def draw_curves(
    curves: Mapping[str, np.ndarray], title: str = "absolute depth error after scale and shift [mm]"
) -> np.ndarray:
    """The curves over CURVE_MM with axes, their `title` and names: (H,W,3) uint8."""
    width, height = CURVE_SIZE
    left, top, right, below = FRAME
    sheet = Image.new("RGB", CURVE_SIZE, (PAPER,) * 3)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(30)

    def place(error_mm: float, share: float) -> tuple[float, float]:
        x = left + error_mm / CURVE_END_MM * (width - left - right)
        return x, top + (1 - share) * (height - top - below)

    for tick in range(0, int(CURVE_END_MM) + 1, 2):
        draw.line([place(tick, 0), place(tick, 1)], fill=(220,) * 3, width=2)
        x, y = place(tick, 0)
        draw.text((x, y + 16), str(tick), (INK,) * 3, font, anchor="mt")
    for tenth in range(0, 11, 2):
        draw.line([place(0, tenth / 10), place(CURVE_END_MM, tenth / 10)], fill=(220,) * 3, width=2)
        x, y = place(0, tenth / 10)
        draw.text((x - 16, y), f"{10 * tenth} %", (INK,) * 3, font, anchor="rm")
    draw.text((place(CURVE_END_MM / 2, 0)[0], height - 24), title, (INK,) * 3, font, anchor="mb")
    shown = CURVE_MM <= CURVE_END_MM
    for number, (name, curve) in enumerate(curves.items()):
        color = COLORS[number % len(COLORS)]
        points = [place(x, y) for x, y in zip(CURVE_MM[shown], curve[shown], strict=True)]
        draw.line(points, fill=color, width=5, joint="curve")
        y = place(0, 0)[1] - 44 * (len(curves) - number)
        draw.line([(width - 480, y), (width - 420, y)], fill=color, width=8)
        draw.text((width - 400, y), name, (INK,) * 3, font, anchor="lm")
    half = (width // 2, height // 2)
    return cv2.resize(np.asarray(sheet), half, interpolation=cv2.INTER_AREA)


def _clay_of(shown: DepthMap, one: Pictured) -> np.ndarray:
    return clay(shown.depth_mm, shown.mask & one.view.mask, one.view.mm_per_px)


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """The square around the face, as far as the picture reaches."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    side = round(MARGIN * (1 + max(np.ptp(rows), np.ptp(columns))))
    parts = []
    for inside, length in zip((rows, columns), mask.shape, strict=True):
        first = max(0, min((inside[0] + inside[-1] + 1 - side) // 2, length - side))
        parts.append(slice(int(first), int(min(first + side, length))))
    return parts[0], parts[1]


def _tile(picture: np.ndarray) -> np.ndarray:
    """The picture in a square of TILE, its shape kept."""
    scale = TILE / max(picture.shape[:2])
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=how)
    tile = _empty()
    tile[: small.shape[0], : small.shape[1]] = small
    return tile


def _empty() -> np.ndarray:
    return np.full((TILE, TILE, 3), EMPTY, np.uint8)


def _labels(names: Sequence[str]) -> np.ndarray:
    strip = Image.new("RGB", (TILE * len(names), LABEL), (PAPER,) * 3)
    draw = ImageDraw.Draw(strip)
    for number, name in enumerate(names):
        center = ((number + 0.5) * TILE, LABEL / 2)
        draw.text(center, name, (INK,) * 3, ImageFont.load_default(15), anchor="mm")
    return np.asarray(strip)


def _scale(bar: np.ndarray, says: tuple[str, str, str]) -> np.ndarray:
    """A `bar` (1,W,3) of colors, and what its left end, its middle and its right end say."""
    strip = Image.new("RGB", (bar.shape[1] + TILE // 2, 14 + 2 * LABEL), (PAPER,) * 3)
    strip.paste(Image.fromarray(bar.repeat(14, 0)), (TILE // 4, 8))
    draw = ImageDraw.Draw(strip)
    for share, anchor, text in zip((0.0, 0.5, 1.0), ("lt", "mt", "rt"), says, strict=True):
        x = TILE // 4 + share * bar.shape[1]
        draw.text((x, 28), text, (INK,) * 3, ImageFont.load_default(14), anchor=anchor)
    return np.asarray(strip)
