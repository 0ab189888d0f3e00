"""Depth and normal error of every stage, on held-out renders or on views of scans with true depth.

    python benchmarks/accuracy.py --views FOLDER            # .npz views, each found by the detector
    python benchmarks/accuracy.py --pairs FOLDER --count 200  # rendered pairs, already cropped

A view is an `.npz` with `photo` (H,W,3) uint8, `depth_mm` (H,W) float32 (nearer = larger, NaN off
the head), `mask` (H,W) bool and `mm_per_px`. The protocol is that of `df2net_hub.evaluation`:
scale and shift by RANSAC per view, then the mean absolute error over the mask. A flat plane is the
baseline.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch

from df2net_hub.evaluation import DepthErrors, depth_errors
from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.pipelines.df2net import DF2NetPipeline

STAGES = ("dense", "fine", "finer")


def view_errors(pipe: DF2NetPipeline, path: Path) -> dict[str, DepthErrors] | None:
    """Errors of each stage on one view, or None where no face was found."""
    with np.load(path, allow_pickle=False) as stored:
        view = dict(stored)
    faces = pipe(view["photo"]).faces
    if not faces:
        return None
    face = faces[0]
    # The crop's pixel (u, v) shows the photo's pixel box.x + (u + 0.5) side / 512 - 0.5: sample the
    # prediction where the truth's pixels lie.
    scale = CROP_SIZE / face.box.side
    height, width = view["mask"].shape
    columns = ((np.arange(width) + 0.5 - face.box.x) * scale - 0.5).astype(np.float32)
    rows = ((np.arange(height) + 0.5 - face.box.y) * scale - 0.5).astype(np.float32)
    grid = np.meshgrid(columns, rows)
    mask = cv2.remap(face.mask.astype(np.float32), *grid, cv2.INTER_LINEAR) > 0.99
    mm_per_px = float(view["mm_per_px"])
    errors = {}
    for name in STAGES:
        depth_mm = cv2.remap(face.stages[name], *grid, cv2.INTER_LINEAR) / scale * mm_per_px
        errors[name] = _errors(depth_mm, mask, view["depth_mm"], view["mask"], mm_per_px)
    errors["plane"] = _errors(
        np.zeros_like(depth_mm), mask, view["depth_mm"], view["mask"], mm_per_px
    )
    return errors


def _errors(depth_mm, mask, truth_mm, truth_mask, mm_per_px) -> DepthErrors:
    return depth_errors(depth_mm, mask, truth_mm, truth_mask, mm_per_px, np.random.default_rng(0))


def pair_errors(pipe: DF2NetPipeline, folder: str, count: int) -> Iterator[dict[str, DepthErrors]]:
    """Errors of each stage on rendered pairs, on the crop as it is."""
    from df2net_hub.pairs import decode_pair, open_pairs

    rows = open_pairs(folder)
    for row in rows.select(range(min(count, len(rows)))):
        pair = decode_pair(row)
        photo = cv2.resize(pair["image"], (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_CUBIC)
        with torch.inference_mode():
            stages = pipe.cascade(pipe.to_tensor(photo))
        size = pair["mask"].shape[0]
        mm_per_px = row["camera"]["mm_per_px"] * CROP_SIZE / size
        to_mm = DEPTH_UNIT_PX * row["camera"]["mm_per_px"]
        errors = {}
        for name in STAGES:
            depth = getattr(stages, name)[0, 0].numpy()
            depth = cv2.resize(depth, (size, size), interpolation=cv2.INTER_AREA)
            errors[name] = _errors(
                depth * to_mm, pair["mask"], pair["depth"] * to_mm, pair["mask"], mm_per_px
            )
        errors["plane"] = _errors(
            0 * depth, pair["mask"], pair["depth"] * to_mm, pair["mask"], mm_per_px
        )
        yield errors


def table(results: list[dict[str, DepthErrors]], asked: int) -> str:
    """Means over the views as a Markdown table."""
    lines = [
        "| stage | mean mm | std | median | 90 % | normals deg | covered |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("plane", *STAGES):
        rows = [list(asdict(result[name]).values()) for result in results]
        cells = [f"{value:.2f}" for value in np.mean(rows, axis=0)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([f"{len(results)} of {asked} found", "", *lines])


def main() -> None:
    """Parse the flags, measure, print the table, and write every view's numbers if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="pipeline folder or hub id (default: the bundled weights)")
    parser.add_argument("--views", help="folder of .npz views")
    parser.add_argument("--pairs", help="folder of rendered pairs")
    parser.add_argument("--count", type=int, default=200, help="pairs to measure (default 200)")
    parser.add_argument("--json", help="write every view's errors here")
    args = parser.parse_args()
    pipe = DF2NetPipeline.from_pretrained(args.model)
    if args.views:
        paths = sorted(Path(args.views).glob("*.npz"))
        per_view = {path.stem: view_errors(pipe, path) for path in paths}
    elif args.pairs:
        per_view = {
            str(n): errors for n, errors in enumerate(pair_errors(pipe, args.pairs, args.count))
        }
    else:
        parser.error("give --views FOLDER or --pairs FOLDER")
    found = [errors for errors in per_view.values() if errors]
    if not found:
        parser.exit(1, f"no face found in {len(per_view)} views\n")
    print(table(found, len(per_view)))
    if args.json:
        plain = {
            name: errors and {stage: asdict(error) for stage, error in errors.items()}
            for name, errors in per_view.items()
        }
        Path(args.json).write_text(json.dumps(plain, indent=1))


if __name__ == "__main__":
    main()
