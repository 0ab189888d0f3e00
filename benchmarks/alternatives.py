"""The paper's alternatives of Sec. 4.1, trained alike behind the same D-Net and F-Net.

    df2net synthesize fine_pairs --assets DATA --count 1500 --size 256 --seed 61
    df2net synthesize unseen --assets DATA --count 100 --size 256 --seed 62
    python benchmarks/alternatives.py --dataset fine_pairs --unseen unseen --out runs/alternatives

stacked: a second F-Net without skip connection; plain: Fr-Net without multi-resolution blocks;
default: Fr-Net. All at half the paper's width, with the preset `ours`, the same seed, steps
and photos. Writes a table of errors on unseen pairs and a picture in the manner of Figure 5.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from df2net_hub.augment import warp_pair
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.pairs import decode_pair, open_pairs
from df2net_hub.pipelines.df2net import BUNDLED_WEIGHTS
from df2net_hub.training.config import TrainConfig
from df2net_hub.training.loader import to_tensors
from df2net_hub.training.pictures import clay
from df2net_hub.training.run import train
from df2net_hub.training.validation import depth_error_px, normal_error_deg

WIDTH = 4  # half of the paper's
DETAIL_PX = 8  # relief of longer waves than this, on a 512 crop, is no detail
PICTURED = 4


def cascades(base: DF2Net) -> dict[str, DF2Net]:
    """The three architectures, their last network freshly made."""
    small = FrNetConfig(width=WIDTH, depth_range=0.25, zero_init=True)
    last = {
        "stacked": FNet(FNetConfig(width=WIDTH)),
        "plain": FrNet(replace(small, multi_resolution=False)),
        "default": FrNet(small),
    }
    return {
        name: DF2Net(
            replace(base.config, residual_on="none" if name == "stacked" else "fine"),
            dense=base.dense,
            fine=base.fine,
            finer=network,
        )
        for name, network in last.items()
    }


def detail_error_deg(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean angle between the normals of the high-pass reliefs of two depth maps (1,1,H,W) [deg]."""
    return normal_error_deg(high_pass(depth, mask), high_pass(target, mask), mask)


def high_pass(depth: Tensor, mask: Tensor) -> Tensor:
    """Depth less its Gaussian mean over the face around each pixel."""
    sigma = DETAIL_PX * depth.shape[-1] / 512
    face = mask[0, 0].float().numpy()
    blurred = cv2.GaussianBlur(depth[0, 0].numpy() * face, (0, 0), sigma)
    share = cv2.GaussianBlur(face, (0, 0), sigma)
    return depth - torch.from_numpy(blurred / np.maximum(share, 1e-3))[None, None]


@torch.inference_mode()
def errors(cascade: DF2Net, rows: list[dict], size: int) -> tuple[dict, list[Tensor]]:
    """Mean errors of the fine stage and of the last, and the last one's clay pictures."""
    sums, pictures = {}, []
    for number, row in enumerate(rows):
        sample = to_tensors("", warp_pair(decode_pair(row), size))
        photo, target, mask = (sample[name][None] for name in ("image", "depth", "mask"))
        stages = cascade(photo)
        for stage in ("fine", "finer"):
            depth = getattr(stages, stage)
            for measure in (depth_error_px, normal_error_deg, detail_error_deg):
                key = f"{stage} {measure.__name__}"
                sums[key] = sums.get(key, 0.0) + float(measure(depth, target, mask)) / len(rows)
        if number < PICTURED:
            pictures.append(clay(stages.finer, mask)[0])
    return sums, pictures


def picture(columns: dict[str, list[Tensor]], path: Path) -> None:
    """One row a photo, one column a network."""
    tiles = [
        np.vstack([(tile.permute(1, 2, 0).numpy() * 255).astype(np.uint8) for tile in column])
        for column in columns.values()
    ]
    sheet = np.hstack(tiles)
    side = sheet.shape[1] // len(columns)
    for number, name in enumerate(columns):
        place = (number * side + 6, 18)
        cv2.putText(
            sheet, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (200, 40, 40), 1, cv2.LINE_AA
        )
    cv2.imwrite(str(path), sheet[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", required=True, help="pairs to train on")
    parser.add_argument("--unseen", required=True, help="pairs to measure on")
    parser.add_argument("--model", default=str(BUNDLED_WEIGHTS), help="gives D-Net and F-Net")
    parser.add_argument("--out", type=Path, default=Path("runs/alternatives"))
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--count", type=int, default=100, help="pairs measured")
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    data = open_pairs(given.unseen)
    rows = [data[index] for index in range(min(given.count, len(data)))]
    torch.manual_seed(0)
    table, columns = {}, {"photo": []}
    for name, cascade in cascades(DF2Net.from_folder(given.model)).items():
        folder = given.out / name
        if not (folder / "finished.json").is_file():
            cascade.to_folder(folder / "start")
            train(
                TrainConfig(
                    stage="finer",
                    preset="ours",
                    dataset=(given.dataset,),
                    model=str(folder / "start"),
                    out=str(folder),
                    resolution=given.resolution,
                    batch=given.batch,
                    epochs=given.epochs,
                    lr=given.lr,
                    warmup=30,
                    ema=0.98,
                    compile=given.compile,
                    tracker="none",
                    resume=(folder / "checkpoints").is_dir(),
                )
            )
        trained = DF2Net.from_folder(folder / "model")
        table[name], columns[name] = errors(trained, rows, given.resolution)
        print(name, {key: round(value, 3) for key, value in table[name].items()})
    columns["truth"] = []
    for row in rows[:PICTURED]:
        sample = to_tensors("", warp_pair(decode_pair(row), given.resolution))
        columns["photo"].append((sample["image"] + 1) / 2)
        columns["truth"].append(clay(sample["depth"][None], sample["mask"][None])[0])
    picture(columns, given.out / "alternatives.png")
    (given.out / "alternatives.json").write_text(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
