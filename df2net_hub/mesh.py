"""A depth map to a triangle mesh in millimeters, textured with the crop it was seen in."""

import numpy as np
import trimesh
from PIL import Image
from trimesh.visual.material import PBRMaterial
from trimesh.visual.texture import TextureVisuals

from df2net_hub.outline import cut_triangles

# Two neighboring pixels with a larger difference in depth are two surfaces, one before the other,
# not one steep surface: it would stand at more than 88.5 degrees. Where a nose hides the cheek, or
# a lip the mouth, networks draw a wall a few pixels wide, of up to 38 px from one to the next. It
# stays: cut out, it would leave a hole with a ragged edge.
DEPTH_JUMP_PX = 40.0


def depth_to_mesh(
    depth_px: np.ndarray,
    mask: np.ndarray,
    crop: np.ndarray,
    mm_per_px: float,
    *,
    decimate_to: int | None = None,
    inside: np.ndarray | None = None,
) -> trimesh.Trimesh:
    """The surface that the camera sees, one vertex per pixel of the mask.

    Every 2 x 2 block of pixels gives two triangles, or one where a pixel is off the mask; none
    spans a depth jump (`DEPTH_JUMP_PX`). Seen from the camera they turn counter-clockwise.

    Args:
        depth_px: (H,W) height toward the camera [px].
        mask: (H,W) bool, the face.
        crop: (H,W,3) uint8, the texture.
        mm_per_px: length of a pixel [mm].
        decimate_to: the most triangles wanted; every n-th pixel is used, n as small as will do.
        inside: (H,W) what `inside_outline` finds, to end the surface on a smooth curve instead of
            at pixels: one pixel and a triangle's side inside of the outline.

    Returns:
        Vertices [mm], x right, y up, z toward the camera; the origin lies at the crop's center,
        at the mean depth of the mask.
    """
    _check(depth_px, mask, crop, mm_per_px, inside)
    if decimate_to is not None and decimate_to < 1:
        raise ValueError(f"`decimate_to` is a number of triangles of 1 or more, got {decimate_to}")
    along_rows, along_columns = continuous_steps(depth_px, mask)
    for stride in range(1, min(mask.shape) + 1):
        triangles, rows, columns = _grid_triangles(along_rows, along_columns, stride)
        points = np.stack([columns, rows, depth_px[rows, columns]], axis=1).astype(np.float64)
        if inside is not None:
            deep = inside[rows, columns] - (1 + stride)
            points, triangles = cut_triangles(points, triangles, deep)
        if decimate_to is None or len(triangles) <= decimate_to:
            break
    if len(triangles) == 0:
        raise ValueError(
            "no triangle fits in the mask: it has no 2 x 2 block of pixels without a depth jump"
            if decimate_to is None
            else f"a face of at most {decimate_to} triangles has none; raise `decimate_to`"
        )
    height, width = mask.shape
    x, y, z = points.T
    z = z - depth_px[mask].mean(dtype=np.float64)
    vertices = np.stack([x - (width - 1) / 2, (height - 1) / 2 - y, z], axis=1) * mm_per_px
    uv = np.stack([(x + 0.5) / width, 1 - (y + 0.5) / height], axis=1)
    material = PBRMaterial(
        name="face",
        baseColorTexture=Image.fromarray(crop),
        metallicFactor=0.0,
        roughnessFactor=0.8,
        doubleSided=True,
    )
    visual = TextureVisuals(uv=uv, material=material)
    return trimesh.Trimesh(vertices, triangles, visual=visual, process=False)


def continuous_steps(depth_px: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where two neighboring pixels belong to one surface: along rows (H,W-1), columns (H-1,W)."""
    along_rows = mask[:, 1:] & mask[:, :-1] & (np.abs(np.diff(depth_px, axis=1)) <= DEPTH_JUMP_PX)
    along_columns = mask[1:] & mask[:-1] & (np.abs(np.diff(depth_px, axis=0)) <= DEPTH_JUMP_PX)
    return along_rows, along_columns


def _grid_triangles(
    along_rows: np.ndarray, along_columns: np.ndarray, stride: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles (T,3) on every `stride`-th pixel, and their vertices' rows and columns (V,)."""
    height, width = along_rows.shape[0], along_columns.shape[1]
    rows = np.arange((height - 1) % stride // 2, height, stride)
    columns = np.arange((width - 1) % stride // 2, width, stride)
    # A long step is continuous if all the steps of one pixel that make it up are.
    right = np.logical_and.reduce([along_rows[rows][:, columns[:-1] + i] for i in range(stride)])
    down = np.logical_and.reduce([along_columns[rows[:-1] + i][:, columns] for i in range(stride)])

    top, bottom, left, other = right[:-1], right[1:], down[:, :-1], down[:, 1:]
    at_top_left, at_bottom_right = top & left, bottom & other
    at_top_right, at_bottom_left = top & other, bottom & left
    # Two triangles at opposite corners fill a block. Where only one fits, it is the first that can.
    falling = at_top_right & at_bottom_left
    rising = at_top_left & at_bottom_right & ~falling
    single = ~(falling | rising)
    use_top_left = at_top_left & (rising | single)
    use_bottom_right = at_bottom_right & (rising | (single & ~at_top_left))
    left_alone = single & ~at_top_left & ~at_bottom_right
    use_top_right = at_top_right & (falling | left_alone)
    use_bottom_left = at_bottom_left & (falling | (left_alone & ~at_top_right))

    index = np.arange(len(rows) * len(columns)).reshape(len(rows), len(columns))
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]  # reading order
    triangles = np.concatenate(
        [
            np.stack([corner[use] for corner in corners], axis=1)
            for use, corners in (
                (use_top_left, (a, c, b)),
                (use_bottom_right, (d, b, c)),
                (use_top_right, (b, a, d)),
                (use_bottom_left, (c, d, a)),
            )
        ]
    )
    used = np.zeros(index.size, dtype=bool)
    used[triangles] = True
    new_index = np.cumsum(used) - 1
    kept = np.flatnonzero(used)
    return new_index[triangles], rows[kept // len(columns)], columns[kept % len(columns)]


def _check(
    depth_px: np.ndarray,
    mask: np.ndarray,
    crop: np.ndarray,
    mm_per_px: float,
    inside: np.ndarray | None,
) -> None:
    if mask.ndim != 2 or mask.dtype != bool:
        raise ValueError(f"`mask` must be a bool array (H,W), got {mask.dtype} {mask.shape}")
    if depth_px.shape != mask.shape:
        raise ValueError(f"`depth_px` must be {mask.shape} like `mask`, got {depth_px.shape}")
    if crop.shape != (*mask.shape, 3) or crop.dtype != np.uint8:
        expected = f"uint8 {(*mask.shape, 3)}"
        raise ValueError(f"`crop` must be {expected}, got {crop.dtype} {crop.shape}")
    if not mask.any():
        raise ValueError("the mask is empty: there is no face to make a mesh of")
    if inside is not None and inside.shape != mask.shape:
        raise ValueError(f"`inside` must be {mask.shape} like `mask`, got {inside.shape}")
    if not np.isfinite(depth_px[mask]).all():
        raise ValueError("`depth_px` has values inside the mask that are not finite")
    if not 0 < mm_per_px < np.inf:
        raise ValueError(f"`mm_per_px` must be a positive length, got {mm_per_px}")
