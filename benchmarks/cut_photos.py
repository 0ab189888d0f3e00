"""What is lost where a photo ends in the middle of a face?

python benchmarks/cut_photos.py PAIRS [--limit 60]

PAIRS is a set of pairs with depth. Each photo is cut at its top, bottom or left by a share of the
face's height or width, and what lies beyond is its repeated edge, as in every crop that reaches
outside of a photo. Errors over what is left of the face (mean depth error after RANSAC scale and
shift, mean angle of the normals), of the cut photo and of the whole one on the same pixels.
"""

import argparse
from dataclasses import replace

import numpy as np

from df2net_hub import DF2NetPipeline
from df2net_hub.evaluating.methods import Stages
from df2net_hub.evaluating.sources import open_views
from df2net_hub.evaluating.views import View
from df2net_hub.evaluation import depth_errors

CUTS = (
    ("top", 0.15), ("top", 0.3), ("bottom", 0.15), ("bottom", 0.3), ("left", 0.2), ("left", 0.45),
)  # fmt: skip


def cut(view: View, side: str, share: float) -> View:
    """The view of a photo that ends `share` of the face's height or width inside of the face."""
    rows, columns = (np.flatnonzero(view.mask.any(axis=axis)) for axis in (1, 0))
    kept_rows, kept_columns = np.arange(view.mask.shape[0]), np.arange(view.mask.shape[1])
    if side == "top":
        kept_rows = kept_rows.clip(min=rows[0] + round(share * np.ptp(rows)))
    elif side == "bottom":
        kept_rows = kept_rows.clip(max=rows[-1] - round(share * np.ptp(rows)))
    else:
        kept_columns = kept_columns.clip(min=columns[0] + round(share * np.ptp(columns)))
    grid = np.ix_(kept_rows, kept_columns)
    shown = (kept_rows == np.arange(len(kept_rows)))[:, None] & (
        kept_columns == np.arange(len(kept_columns))
    )
    return replace(view, photo=view.photo[grid], mask=view.mask & shown)


def errors(depth_mm: np.ndarray, view: View) -> tuple[float, float]:
    """Mean depth error [mm] and angle [deg] of a result (H,W) over the view's mask."""
    rng = np.random.default_rng(0)
    found = depth_errors(depth_mm, view.mask, view.depth_mm, view.mask, view.mm_per_px, rng)
    return found.mean, found.normal_deg


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", metavar="PAIRS")
    parser.add_argument("--model", help="pipeline folder or owner/name (the bundled weights)")
    parser.add_argument("--stage", choices=("dense", "fine", "finer"), default="finer")
    parser.add_argument("--limit", type=int, default=60, help="pairs that are used (60)")
    args = parser.parse_args()
    stages = Stages(DF2NetPipeline.from_pretrained(args.model))
    table: dict[tuple[str, float], list[tuple[float, ...]]] = {one: [] for one in CUTS}
    for load in open_views(args.pairs, limit=args.limit).loaders:
        view = load()
        if not view.is_crop:
            parser.error(f"{args.pairs} holds photos in which a face is sought; pairs are needed")
        whole = stages(view)
        for one in CUTS if whole else ():
            ended = cut(view, *one)
            if found := stages(ended):
                depths = whole[args.stage].depth_mm, found[args.stage].depth_mm
                table[one].append(tuple(n for depth in depths for n in errors(depth, ended)))
    print("| cut off | whole photo, on the same pixels | cut photo | photos |\n|---|---|---|---|")
    for (side, share), found in table.items():
        mm, deg, cut_mm, cut_deg = np.mean(found, axis=0)
        cells = f"{mm:.2f} mm {deg:.1f} deg | {cut_mm:.2f} mm {cut_deg:.1f} deg"
        print(f"| {share:.0%} at the {side} | {cells} | {len(found)} |")


if __name__ == "__main__":
    main()
