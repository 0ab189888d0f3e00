r"""What each ingredient of the rendered pairs is worth: leave one out, train alike, measure.

    python benchmarks/ablation.py --assets DATA --views SCANS --views AVATARS \
        --start-pairs PAIRS --out runs/ablation

A small D-Net is trained once on pairs of the full recipe (`--start-pairs`). Then, for the full
recipe and for each ingredient left out, a small set is rendered (the same people in the same
poses), that D-Net is trained on it for the same number of steps, and measured on unseen pairs of
the full recipe and on views with true depth (the `.npz` layout of docs/evaluation.md): mean
depth error [mm] after RANSAC scale and shift, mean angle between normals [deg], and intersection
over union of the face mask. From an untrained start, sets that lack something would only look
easier to learn. `--repeats` trains on the full recipe with several seeds: what differs less than
these do is noise. Stopped runs go on where they stopped.
"""

import argparse
import json
import logging
from pathlib import Path

import cv2
import numpy as np
import torch

from df2net_hub.evaluation import depth_errors
from df2net_hub.faces import crop_face, get_detector
from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.modeling.base import StageModel
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.pairs import decode_pair, open_pairs
from df2net_hub.shards import write_set
from df2net_hub.synthesis.make_pairs import RenderedPairs
from df2net_hub.synthesis.recipe import INGREDIENTS, SynthesisRecipe
from df2net_hub.training.config import TrainConfig
from df2net_hub.training.run import train

WORKING_SIZE = 64
UNET = DNetConfig(
    width=16, levels=6, working_size=WORKING_SIZE, dropout=0.0, mask_head=True, tail_width=8
)
UNSEEN_SEED = 990
Sample = tuple[np.ndarray, np.ndarray, np.ndarray, float]


def render_set(
    folder: Path, assets: str, recipe: SynthesisRecipe, count: int, seed: int, workers: int
) -> Path:
    """A set of `count` pairs, a little larger than the networks see them."""
    maker = RenderedPairs(assets, seed, WORKING_SIZE * 3 // 2, recipe)
    name, facts = maker.name, maker.recipe()
    write_set(folder, name, maker, count, facts, rows_per_shard=500, workers=workers)
    return folder


def start_from(dense: StageModel, folder: Path) -> None:
    """A cascade of `dense`, as it is, and of the smallest F-Net and Fr-Net, which stay unused."""
    fine, finer = FNet(FNetConfig(width=1)), FrNet(FrNetConfig(width=1))
    DF2Net(dense=dense, fine=fine, finer=finer).to_folder(folder)


def trained_start(out: Path, pairs: str, epochs: float) -> Path:
    """A cascade whose small D-Net was trained on `pairs`; the rest of it is never run."""
    if not (out / "start" / "model" / "model_index.json").is_file():
        torch.manual_seed(0)
        start_from(DNet(UNET), out / "untrained")
        train(train_config(pairs, out / "untrained", out / "start", epochs, lr=2e-3, seed=0))
    return out / "start" / "model"


def train_config(
    pairs: str | Path, model: Path, out: Path, epochs: float, lr: float, seed: int
) -> TrainConfig:
    """What all runs share."""
    return TrainConfig(
        stage="dense", preset="ours", dataset=(str(pairs),), model=str(model), out=str(out),
        epochs=epochs, lr=lr, seed=seed, resolution=WORKING_SIZE, batch=32, warmup=40, ema=0.98,
        workers=0, save_every=10**9, picture_every=0, tracker="none",
    )  # fmt: skip


def predict(dense: torch.nn.Module, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth (S,S) [network units] and mask (S,S) bool of a uint8 crop at the working size."""
    small = cv2.resize(crop, (WORKING_SIZE, WORKING_SIZE), interpolation=cv2.INTER_AREA)
    photo = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        maps = dense(photo)[0].numpy()
    return maps[0], maps[1] > 0


def scores(
    dense: torch.nn.Module, crop: np.ndarray, truth_mm: np.ndarray, mask: np.ndarray, mm: float
) -> tuple[float, float, float]:
    """Depth error [mm], normal error [deg] and mask overlap of one crop; truth at working size."""
    depth, predicted_mask = predict(dense, crop)
    errors = depth_errors(
        depth * DEPTH_UNIT_PX * mm, mask, truth_mm, mask, mm * CROP_SIZE / WORKING_SIZE,
        np.random.default_rng(0),
    )  # fmt: skip
    overlap = (predicted_mask & mask).sum() / max((predicted_mask | mask).sum(), 1)
    return errors.mean, errors.normal_deg, float(overlap)


def view_samples(folder: str) -> list[Sample]:
    """Crop, true depth [mm], mask, mm per pixel of the 512 crop of each view with a found face."""
    detect, samples = get_detector("dlib"), []
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            view = dict(stored)
        boxes = detect(view["photo"])
        if not boxes:
            continue
        box = boxes[0]
        step = box.side / WORKING_SIZE
        at = (np.arange(WORKING_SIZE) + 0.5) * step - 0.5
        grid = np.meshgrid((at + box.x).astype(np.float32), (at + box.y).astype(np.float32))
        known = view["mask"] & np.isfinite(view["depth_mm"])
        depth = cv2.remap(np.where(known, view["depth_mm"], 0).astype(np.float32), *grid, 1)
        share = cv2.remap(known.astype(np.float32), *grid, cv2.INTER_LINEAR)
        mm = float(view["mm_per_px"]) * box.side / CROP_SIZE
        crop = crop_face(view["photo"], box, CROP_SIZE)
        samples.append((crop, np.where(share > 0.999, depth, np.nan), share > 0.999, mm))
    return samples


def pair_samples(
    folder: Path, count: int
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """The same of rendered pairs."""
    samples, rows = [], open_pairs(str(folder))
    size = (WORKING_SIZE, WORKING_SIZE)
    for row in rows.select(range(min(count, len(rows)))):
        pair, mm = decode_pair(row), row["camera"]["mm_per_px"]
        share = cv2.resize(pair["mask"].astype(np.float32), size, interpolation=cv2.INTER_AREA)
        depth = cv2.resize(np.nan_to_num(pair["depth"]), size, interpolation=cv2.INTER_AREA)
        mask = share > 0.999
        samples.append((pair["image"], depth * DEPTH_UNIT_PX * mm, mask, mm))
    return samples


def measure(model: Path, tests: dict[str, list[Sample]]) -> dict[str, list[float]]:
    """Mean scores of a trained cascade's D-Net on each test."""
    dense = DF2Net.from_folder(model).dense
    return {
        name: np.mean([scores(dense, *sample) for sample in samples], axis=0).round(3).tolist()
        for name, samples in tests.items()
    }


def table(results: dict[str, dict[str, list[float]]], tests: list[str]) -> str:
    """Markdown, one line a run; the mask's overlap is asked of the unseen pairs only."""
    lines = [
        "| left out | " + " | ".join(f"{name} mm | deg" for name in tests) + " | mask overlap |",
        "|---|" + "---|---|" * len(tests) + "---|",
    ]
    for run, scored in results.items():
        cells = [f"{scored[name][0]:.2f} | {scored[name][1]:.1f}" for name in tests]
        lines.append(f"| {run} | " + " | ".join(cells) + f" | {scored['unseen'][2]:.3f} |")
    return "\n".join(lines)


def main() -> None:
    """Render, train and measure every run that has no result yet; print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", help="as for `df2net synthesize` (default: procedural head)")
    parser.add_argument("--views", action="append", default=[], help="folder of .npz views")
    parser.add_argument("--out", default="runs/ablation", help="default runs/ablation")
    parser.add_argument("--start-pairs", required=True, help="set of the full recipe to begin with")
    parser.add_argument("--start-epochs", type=float, default=8, help="on it (default 8)")
    parser.add_argument("--count", type=int, default=600, help="pairs of each set (default 600)")
    parser.add_argument("--epochs", type=float, default=14, help="of each run (default 14)")
    parser.add_argument("--repeats", type=int, default=2, help="runs of the full recipe")
    parser.add_argument("--only", nargs="*", help="these ingredients (default: all)")
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    out = Path(args.out)
    plan = {f"nothing, seed {n}": ((), n) for n in range(args.repeats)}
    plan |= {name: ((name,), 0) for name in args.only or INGREDIENTS}
    unseen = render_set(
        out / "unseen", args.assets, SynthesisRecipe(), 300, UNSEEN_SEED, args.workers
    )
    tests = {"unseen": pair_samples(unseen, 300)}
    tests |= {Path(folder).name: view_samples(folder) for folder in args.views}
    begin = trained_start(out, args.start_pairs, args.start_epochs)
    results_path = out / "results.json"
    results = json.loads(results_path.read_text()) if results_path.is_file() else {}
    for run, (without, seed) in plan.items():
        if run in results:
            continue
        recipe = SynthesisRecipe(without=without)
        name = "-".join(without) or "full"
        pairs = render_set(out / "pairs" / name, args.assets, recipe, args.count, 1, args.workers)
        config = train_config(pairs, begin, out / "runs" / run, args.epochs, lr=1e-3, seed=seed)
        results[run] = measure(train(config), tests)
        results_path.write_text(json.dumps(results, indent=1))
        print(table(results, list(tests)), flush=True)
    print(table(results, list(tests)))


if __name__ == "__main__":
    main()
