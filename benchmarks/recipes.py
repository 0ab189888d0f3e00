r"""From the paper's recipe for D-Net to ours, one departure at a time, trained alike.

    df2net synthesize pairs --assets DATA --count 5000 --size 160 --seed 51
    df2net synthesize unseen --assets DATA --count 100 --size 160 --seed 52
    python benchmarks/recipes.py --dataset pairs --unseen unseen --views SCANS --views AVATARS \
        --out runs/recipes

A small D-Net (width 16, 64 px) is trained from the same random start on the same photos in the
same order with each recipe, and measured on unseen pairs and on views with true depth (the `.npz`
layout of docs/evaluation.md): mean depth error [mm] after RANSAC scale and shift, mean angle
between normals [deg]. Stopped runs go on where they stopped.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from df2net_hub.modeling.dnet import DNet
from df2net_hub.training.config import TrainConfig
from df2net_hub.training.run import train

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ablation import (  # noqa: E402
    UNET,
    WORKING_SIZE,
    Sample,
    measure,
    pair_samples,
    start_from,
    table,
    view_samples,
)

ADAMW = {"optimizer": "adamw", "schedule": "cosine", "lr": 2e-3, "warmup": 40, "clip": 1.0}
RECIPES = {  # each with one departure more, up to what the preset `ours` is
    "paper (SGD, learning rate 1e-3, steps)": {},
    "paper, SGD at 1e-1": {"lr": 0.1},
    "AdamW, 2e-3, cosine, warm-up, clipped": ADAMW,
    "and normal 0.5 in place of 0.1": ADAMW | {"losses": ("normal=0.5",)},
    "and averaged weights": ADAMW | {"losses": ("normal=0.5",), "ema": 0.98},
    "and depth 4, normal 3, gradient 30 (ours)": ADAMW
    | {"losses": ("depth=4", "normal=3", "gradient=30"), "ema": 0.98},
}


def main() -> None:
    """Train and measure every recipe that has no result yet; print the table."""
    given = arguments(__doc__, "runs/recipes")
    start = given.out / "start"
    if not start.is_dir():
        torch.manual_seed(0)
        start_from(DNet(UNET), start)
    tests = samples_of(given)
    results = {}
    for number, (name, changes) in enumerate(RECIPES.items()):
        results[name] = trained(start, given.out / f"run{number}", given, changes, tests)
        print(name, results[name], flush=True)
    (given.out / "recipes.json").write_text(json.dumps(results, indent=2))
    print(table(results, list(tests)).replace("left out", "recipe"))


def arguments(description: str | None, out: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", required=True, help="pairs to train on")
    parser.add_argument("--unseen", required=True, help="pairs to measure on")
    parser.add_argument("--views", action="append", default=[], help="folder of .npz views")
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--epochs", type=float, default=4.0)
    parser.add_argument("--batch", type=int, default=32)
    return parser.parse_args()


def samples_of(given: argparse.Namespace) -> dict[str, list[Sample]]:
    tests = {"unseen": pair_samples(Path(given.unseen), 100)}
    return tests | {Path(folder).name: view_samples(folder) for folder in given.views}


def trained(
    start: Path,
    out: Path,
    given: argparse.Namespace,
    changes: dict[str, Any],
    tests: dict[str, list[Sample]],
) -> dict[str, list[float]]:
    """Train from `start` into `out`, or go on there; what `measure` says of the result."""
    if not (out / "finished.json").is_file():
        common = {
            "stage": "dense",
            "preset": "paper",
            "kinds": ("morphable",),
            "dataset": (given.dataset,),
            "model": str(start),
            "out": str(out),
            "resolution": WORKING_SIZE,
            "batch": given.batch,
            "epochs": given.epochs,
            "workers": 0,
            "picture_every": 0,
            "tracker": "none",
            "resume": (out / "checkpoints").is_dir(),
        }
        train(TrainConfig(**(common | changes)))
    return measure(out / "model", tests)


if __name__ == "__main__":
    main()
