"""What is lost when heads are rolled to a side, and what turning them upright brings back.

python benchmarks/turned_heads.py PAIRS [--limit 60]

PAIRS is a set of pairs with depth. Each photo is turned about its middle, and its truth with it.
Errors (mean depth error after RANSAC scale and shift, mean angle of the normals) of the networks,
given the turned photo as it is, and of the pipeline, which turns the head upright first.
"""

import argparse
from dataclasses import replace

import cv2
import numpy as np
import torch

from df2net_hub import DF2NetPipeline
from df2net_hub.evaluating.methods import Stages
from df2net_hub.evaluating.sources import open_views
from df2net_hub.evaluating.views import View
from df2net_hub.evaluation import depth_errors
from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX

ROLLS = (0, 15, 30, 45, 60, 75)  # counterclockwise [deg]


def turned_view(view: View, roll: float) -> View:
    """The view of a photo turned counterclockwise by `roll` [deg]; its edge repeats."""
    if roll == 0:
        return view
    height, width = view.mask.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), roll, 1)

    def warp(values: np.ndarray, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
        return cv2.warpAffine(values, matrix, (width, height), borderMode=border)

    known = view.mask & np.isfinite(view.depth_mm)
    share = warp(known.astype(np.float32))
    mask = share > 0.99
    depth = warp(np.where(known, view.depth_mm, 0).astype(np.float32))
    return replace(
        view,
        photo=warp(view.photo, cv2.BORDER_REPLICATE),
        mask=mask,
        depth_mm=np.where(mask, depth / np.maximum(share, 0.5), np.nan),
    )


@torch.inference_mode()
def as_it_is(pipe: DF2NetPipeline, view: View) -> np.ndarray:
    """(H,W) [mm] finer depth by the networks alone."""
    photo = cv2.resize(view.photo, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_CUBIC)
    depth = pipe.cascade(pipe.to_tensor(photo)).finer[0, 0].cpu().numpy()
    size = len(view.mask)
    to_mm = DEPTH_UNIT_PX * view.mm_per_px * size / CROP_SIZE
    return cv2.resize(depth, (size, size), interpolation=cv2.INTER_AREA) * to_mm


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", metavar="PAIRS")
    parser.add_argument("--model", help="pipeline folder or owner/name (the bundled weights)")
    parser.add_argument("--limit", type=int, default=60, help="pairs that are used (60)")
    args = parser.parse_args()
    pipe = DF2NetPipeline.from_pretrained(args.model)
    stages = Stages(pipe)
    table: dict[int, list[list[float]]] = {roll: [] for roll in ROLLS}
    for load in open_views(args.pairs, limit=args.limit).loaders:
        view = load()
        if not view.is_crop:
            parser.error(f"{args.pairs} holds photos in which a face is sought; pairs are needed")
        for roll in ROLLS:
            rolled = turned_view(view, roll)
            if found := stages(rolled):
                numbers: list[float] = []
                for depth in (as_it_is(pipe, rolled), found["finer"].depth_mm):
                    mask, truth, rng = rolled.mask, rolled.depth_mm, np.random.default_rng(0)
                    errors = depth_errors(depth, mask, truth, mask, view.mm_per_px, rng)
                    numbers += [errors.mean, errors.normal_deg]
                table[roll].append(numbers)
    print("| turned by | networks | pipeline | photos |\n|---|---|---|---|")
    for roll, rows in table.items():
        mm, deg, upright_mm, upright_deg = np.mean(rows, axis=0)
        cells = f"{mm:.2f} mm {deg:.1f} deg | {upright_mm:.2f} mm {upright_deg:.1f} deg"
        print(f"| {roll} deg | {cells} | {len(rows)} |")


if __name__ == "__main__":
    main()
