"""Which parts of the face come out too near, which too far?

python benchmarks/bias_by_part.py VIEWS [VIEWS ...]

VIEWS are what `df2net evaluate` takes, with landmarks. The result is brought to the truth by RANSAC
scale and shift, the error's plane is taken off (how a face leans is another question), and what is
left is read around the landmarks, on skin and lips alone; eyeballs have a row of their own.
The mean says what the networks suppose wrongly of all faces, the deviation what they miss of
single ones.
"""

import argparse

import numpy as np

from df2net_hub import DF2NetPipeline
from df2net_hub.evaluating.methods import DepthMap, Stages
from df2net_hub.evaluating.parts import PARTS as LABELS
from df2net_hub.evaluating.parts import parts_of
from df2net_hub.evaluating.sources import open_views
from df2net_hub.evaluating.views import View
from df2net_hub.evaluation import ransac_scale_shift

PARTS = {
    "brows": range(17, 27), "ridge of the nose": range(27, 30), "tip of the nose": [30],
    "nostrils": range(31, 36), "outer corners of the eyes": [36, 45],
    "inner corners of the eyes": [39, 42], "upper lids": [37, 38, 43, 44],
    "lower lids": [40, 41, 46, 47], "corners of the mouth": [48, 54],
    "upper lip": range(50, 53), "lower lip": range(56, 59),
}  # fmt: skip
EYES = "between the lids"
AROUND = 2  # pixels to each side of a landmark over which errors are averaged
SEEN = 0.25  # of these pixels have to be compared ones; half of those around a lid are eyeball


def signed_error(view: View, result: DepthMap, seed: int) -> np.ndarray:
    """(H,W) how much too near [mm] after scale, shift and plane; NaN off the compared pixels."""
    both = result.mask & view.mask
    predicted, true = result.depth_mm[both], view.depth_mm[both]
    scale, shift = ransac_scale_shift(predicted, true, np.random.default_rng(seed))
    y, x = np.nonzero(both)
    plane = np.column_stack([np.ones(len(x)), x, y])
    error = scale * predicted + shift - true
    out = np.full(both.shape, np.nan)
    out[both] = error - plane @ np.linalg.lstsq(plane, error, rcond=None)[0]
    return out


def by_part(error: np.ndarray, landmarks: np.ndarray, mm_per_px: float) -> dict[str, float]:
    """Part -> mean error around those of its landmarks that are seen; parts that are not, left out.

    Args:
        error: (H,W) with NaN where there is none.
        landmarks: (68,2) x, y [px].
        mm_per_px: length of a pixel at the face.
    """
    eyes = parts_of(landmarks, error.shape, mm_per_px) == LABELS.index("eyes")
    padded = np.pad(np.where(eyes, np.nan, error), AROUND, constant_values=np.nan)
    found: dict[str, list[float]] = {}
    for part, marks in PARTS.items():
        for x, y in np.rint(landmarks[list(marks)]).astype(int):
            if not (0 <= x < error.shape[1] and 0 <= y < error.shape[0]):
                continue
            around = padded[y : y + 2 * AROUND + 1, x : x + 2 * AROUND + 1]
            if np.isfinite(around).mean() > SEEN:
                found.setdefault(part, []).append(float(np.nanmean(around)))
    between = error[eyes & np.isfinite(error)]
    if between.size:
        found[EYES] = [float(between.mean())]
    return {part: float(np.mean(errors)) for part, errors in found.items()}


def measured(source: str, stages: Stages, stage: str, seed: int) -> list[dict[str, float]]:
    """`by_part` of every view that has landmarks and in which a face was found."""
    found = []
    for load in open_views(source).loaders:
        view = load()
        results = stages(view)
        if results and view.landmarks is not None:
            error = signed_error(view, results[stage], seed)
            found.append(by_part(error, view.landmarks, view.mm_per_px))
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("views", nargs="+", metavar="VIEWS")
    parser.add_argument("--model", help="pipeline folder or owner/name (the bundled weights)")
    parser.add_argument("--stage", choices=("dense", "fine", "finer"), default="finer")
    parser.add_argument("--seed", type=int, default=0, help="of RANSAC (0)")
    args = parser.parse_args()
    stages = Stages(DF2NetPipeline.from_pretrained(args.model))
    columns = {one: measured(one, stages, args.stage, args.seed) for one in args.views}
    for source, views in columns.items():
        if not views:
            parser.error(f"{source}: no view with landmarks in which a face was found")
    print(f"| mm too near | {' | '.join(f'{k}, {len(v)} views' for k, v in columns.items())} |")
    print("|---" * (len(columns) + 1) + "|")
    for part in (*PARTS, EYES):
        cells = []
        for views in columns.values():
            errors = [view[part] for view in views if part in view]
            cells.append(f"{np.mean(errors):.1f} +- {np.std(errors):.1f}" if errors else "not seen")
        print(f"| {part} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
