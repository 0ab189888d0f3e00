r"""Encoders of timm for D-Net beside our own networks, all from scratch and trained alike.

    df2net synthesize pairs --assets DATA --count 8000 --size 160 --seed 51
    df2net synthesize unseen --assets DATA --count 100 --size 160 --seed 52
    python benchmarks/encoders.py --dataset pairs --unseen unseen --views SCANS --views AVATARS \
        --out runs/encoders --epochs 2.5

Every network works at 64 px and sees the same photos in the same order with the losses of the
preset `ours`. Measured as in recipes.py; besides that, parameters and crops a second of training.
An encoder whose largest map has a quarter of the photo's size gives 4 x 4 pixels of depth at each
of its places. Needs timm and torchvision. Stopped runs go on where they stopped.
"""

import json
import sys
from pathlib import Path
from statistics import median

import torch

from df2net_hub.modeling.dnet import DNet
from df2net_hub.modeling.dnet_residual import ResidualDNet, ResidualDNetConfig
from df2net_hub.modeling.dnet_timm import TimmDNet, TimmDNetConfig

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ablation import UNET, WORKING_SIZE, start_from, table  # noqa: E402
from recipes import RECIPES, arguments, samples_of, trained  # noqa: E402

ENCODERS = {  # a name of timm -> widths of the decoder, from the largest map
    "resnet18": (16, 32, 64, 96),
    "mobilenetv3_large_100": (16, 32, 64, 96),
    "efficientnet_b0": (16, 32, 64, 96),
    "convnextv2_atto": (32, 64, 96),
}
NETWORKS = {
    "U-Net, width 16": lambda: DNet(UNET),
    "dnet_residual": lambda: ResidualDNet(ResidualDNetConfig(working_size=WORKING_SIZE)),
} | {
    name: lambda name=name, widths=widths: TimmDNet(
        TimmDNetConfig(encoder=name, widths=widths, working_size=WORKING_SIZE)
    )
    for name, widths in ENCODERS.items()
}


def main() -> None:
    """Train and measure every network that has no result yet; print the table."""
    given = arguments(__doc__, "runs/encoders")
    recipe = list(RECIPES.values())[-1]  # the one that is `ours`
    tests = samples_of(given)
    results = {}
    for name, made in NETWORKS.items():
        out = given.out / name.replace(" ", "_").replace(",", "")
        start = out / "start"
        torch.manual_seed(0)
        network = made()
        if not start.is_dir():
            start_from(network, start)
        errors = trained(start, out / "run", given, recipe, tests)
        millions = sum(weights.numel() for weights in network.parameters()) / 1e6
        label = f"{name}: {millions:.1f} M parameters, {crops_per_s(out / 'run'):.0f} crops/s"
        results[label] = errors
        print(label, errors, flush=True)
    (given.out / "encoders.json").write_text(json.dumps(results, indent=2))
    print(table(results, list(tests)).replace("left out", "network"))


def crops_per_s(run: Path) -> float:
    """The median over the run's log."""
    rows = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return median(row["photos_per_s"] for row in rows if "photos_per_s" in row)


if __name__ == "__main__":
    main()
