"""One picture that shows what a set of pairs is: samples of all its shards, all that they know."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from df2net_hub.geometry import DEPTH_UNIT_PX
from df2net_hub.pairs import PICTURES, decode_pair, open_shard

TILE = 144  # side of a picture [px]
LABEL = 18  # height of a line of text [px]
GAP = 10  # between samples [px]
SAMPLES = 24
WIDTH = 1760  # of the sheet, at most [px]
PAPER, INK = 250, 60  # [0,255]
EMPTY = 232  # where a sample does not have the picture
EDGE = (255, 60, 200)  # the mask's outline on the photo
FAR, NEAR = np.array([0.36, 0.5, 0.8]), np.array([1.0, 0.9, 0.74])  # colors of the relief
LIGHT = np.array([-0.5, 0.55, 0.67])  # where it is lit from: x right, y up, z toward the camera
TITLES = {
    "image": "photo, mask outlined",
    "depth": "depth, lit, near = warm",
    "normals": "normals",
    "albedo": "albedo",
}


def pick_rows(shards: Sequence[Path], count: int) -> list[dict[str, Any]]:
    """`count` rows, or all if there are fewer, at equal distances through `shards`."""
    files = [open_shard(path) for path in shards]
    ends = np.cumsum([file.metadata.num_rows for file in files])
    total = int(ends[-1]) if len(ends) else 0
    rows = []
    for wanted in np.unique(np.linspace(0, max(total - 1, 0), min(count, total)).astype(int)):
        shard = int(np.searchsorted(ends, wanted, side="right"))
        rows.append(_read_row(files[shard], int(wanted - (ends[shard - 1] if shard else 0))))
    return rows


def _read_row(file: Any, number: int) -> dict[str, Any]:
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if number < rows:
            columns = ["id", "source", *PICTURES]
            return file.read_row_group(group, columns).slice(number, 1).to_pylist()[0]
        number -= rows
    raise IndexError(number)


def contact_sheet(rows: Iterable[dict[str, Any]]) -> np.ndarray:
    """The sheet of some rows: for each photo, depth, normals and albedo, as far as any has them.

    Returns:
        (H,W,3) uint8.
    """
    samples = [(row, decode_pair(row)) for row in rows]
    shown = [name for name in TITLES if any(name in pair for _, pair in samples)] or ["image"]
    strips = [
        np.vstack(
            [np.hstack([_tile(name, pair) for name in shown]), _text([_label(row)], len(shown))]
        )
        for row, pair in samples
    ]
    across = max(1, min((WIDTH + GAP) // (TILE * len(shown) + GAP), len(strips)))
    title = _text([TITLES[name] for name in shown], len(shown))
    lines = [[title] * across]
    lines += [strips[start : start + across] for start in range(0, len(strips), across)]
    return np.vstack([_line(line, across) for line in lines])


def _line(strips: list[np.ndarray], across: int) -> np.ndarray:
    blank = np.full_like(strips[0], PAPER)
    gap = np.full((strips[0].shape[0], GAP, 3), PAPER, np.uint8)
    parts = [part for strip in strips + [blank] * (across - len(strips)) for part in (strip, gap)]
    return np.hstack(parts[:-1])


def _label(row: dict[str, Any]) -> str:
    return f"{row['source']}  {row['id']}"


def _text(texts: list[str], tiles: int) -> np.ndarray:
    strip = Image.new("RGB", (TILE * tiles, LABEL), (PAPER,) * 3)
    draw = ImageDraw.Draw(strip)
    for number, text in enumerate(texts):
        left = TILE * number + 2
        draw.text((left, 2), text, (INK,) * 3, ImageFont.load_default(11))
    return np.asarray(strip)


def _tile(name: str, pair: dict[str, np.ndarray]) -> np.ndarray:
    if name not in pair:
        return np.full((TILE, TILE, 3), EMPTY, np.uint8)
    if name == "image":
        return _outlined(_resized(pair["image"]), pair["mask"])
    if name == "depth":
        return _resized(relief(pair["depth"]))
    if name == "normals":
        colors = (pair["normals"] + 1) * 127.5
        return _resized(np.where(np.isfinite(colors), colors, EMPTY).astype(np.uint8))
    return _resized(pair[name])


def relief(depth: np.ndarray) -> np.ndarray:
    """A depth map as a lit surface, near parts warm, far ones blue.

    Args:
        depth: (S,S) network depth, NaN off the face.

    Returns:
        (S,S,3) uint8.
    """
    known = np.isfinite(depth)
    if not known.any():
        return np.full((*depth.shape, 3), EMPTY, np.uint8)
    height_px = depth * DEPTH_UNIT_PX * (depth.shape[0] / 512)
    down, right = _slope(height_px, 0), _slope(height_px, 1)
    normal = np.stack([-right, down, np.ones_like(right)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    lit = 0.25 + 0.85 * np.clip(normal @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
    low, high = np.percentile(height_px[known], [2, 98])
    near = np.clip((height_px - low) / max(high - low, 1e-6), 0, 1)[..., None]
    colors = np.clip(lit[..., None] * (FAR + (NEAR - FAR) * near), 0, 1) * 255
    return np.where(known[..., None], colors, EMPTY).astype(np.uint8)


def _slope(height_px: np.ndarray, axis: int) -> np.ndarray:
    """Mean of the steps to both neighbors along `axis`, of one where the other is off the face."""
    steps = np.diff(height_px, axis=axis)
    before, after = ([(0, 0), (0, 0)] for _ in range(2))
    before[axis], after[axis] = (1, 0), (0, 1)
    both = np.stack([np.pad(steps, pad, constant_values=np.nan) for pad in (before, after)])
    count = np.isfinite(both).sum(0)
    return np.nansum(both, 0) / np.maximum(count, 1)


def _outlined(tile: np.ndarray, mask: np.ndarray) -> np.ndarray:
    outer, _ = cv2.findContours(
        cv2.resize(mask.astype(np.uint8), (TILE, TILE), interpolation=cv2.INTER_NEAREST),
        cv2.RETR_LIST,
        cv2.CHAIN_APPROX_NONE,
    )
    return cv2.drawContours(tile.copy(), outer, -1, EDGE, 1)


def _resized(picture: np.ndarray) -> np.ndarray:
    shrinks = picture.shape[0] > TILE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(picture), (TILE, TILE), interpolation=how)
