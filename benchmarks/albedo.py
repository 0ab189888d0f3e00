"""Albedo error of AlbedoNet on rendered pairs whose albedo is known, beside two references.

    df2net synthesize test_pairs --assets DATA --count 100 --size 192 --seed 77
    python benchmarks/albedo.py --pairs test_pairs                     # the bundled weights
    python benchmarks/albedo.py --pairs test_pairs --model runs/albedo/model

All in linear light, over the face's mask, at 128 px. No photo tells how bright its light is, so one
gray factor per photo is fitted first. Errors are in percent of the face's mean albedo: `error` of
every pixel; `coarse` of albedo blurred by 4 px, where shading shows; `fine` of the rest, where
features are lost or shading of creases is left.

- photo: the photo taken as albedo.
- harmonics: the photo over its best second-order harmonics, fitted with the true albedo and the
  true normals. No method has those; what is left to it are shadows, gloss and the camera.
"""

import argparse
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from df2net_hub.albedo_losses import fit_scale
from df2net_hub.augment import warp_pair
from df2net_hub.losses import erode, network_normals
from df2net_hub.modeling.albedonet import AlbedoNet
from df2net_hub.pairs import decode_pair, open_pairs
from df2net_hub.shading import fit_light, shade
from df2net_hub.srgb import to_linear
from df2net_hub.training.loader import to_tensors

SIZE = 128
BLUR_PX = 4
NAMES = ("photo", "harmonics", "AlbedoNet")


def blur(values: Tensor, mask: Tensor) -> Tensor:
    """(1,C,H,W) blurred by BLUR_PX within the mask."""
    steps = torch.arange(-3 * BLUR_PX, 3 * BLUR_PX + 1)
    kernel = torch.exp(-0.5 * (steps / BLUR_PX) ** 2)
    kernel = (kernel / kernel.sum()).expand(values.shape[1], 1, 1, -1)
    pad = 3 * BLUR_PX

    def smooth(maps: Tensor) -> Tensor:
        across = F.conv2d(maps, kernel, padding=(0, pad), groups=maps.shape[1])
        return F.conv2d(across, kernel.mT, padding=(pad, 0), groups=maps.shape[1])

    share = smooth(mask.float().expand_as(values))
    return smooth(values * mask) / share.clamp(min=1e-3)


def errors(albedo: Tensor, target: Tensor, mask: Tensor) -> tuple[float, float, float]:
    """Error of every pixel, coarse and fine [%] of one photo's linear albedo (1,3,H,W)."""
    difference = albedo * fit_scale(albedo, target, mask, gray=True) - target
    coarse = blur(difference, mask)
    mean = (target * mask).sum()
    parts = (difference, coarse, difference - coarse)
    return tuple(float(100 * (part.abs() * mask).sum() / mean) for part in parts)


def pair_errors(net: AlbedoNet, folder: str, count: int) -> Iterator[dict[str, tuple]]:
    """Errors of every method on one pair after the other."""
    rows = open_pairs(folder)
    for row in rows.select(range(min(count, len(rows)))):
        batch = {
            name: value[None]
            for name, value in to_tensors("", warp_pair(decode_pair(row), SIZE)).items()
            if name != "id"
        }
        image, target = to_linear((batch["image"] + 1) / 2), to_linear(batch["albedo"])
        normals, mask = network_normals(batch["depth"]), erode(batch["mask"])
        light = fit_light(image, target, normals, mask, ridge=1e-4)
        light = shade(torch.ones_like(image), normals, light)
        with torch.inference_mode():
            made = (image, image / light.clamp(min=0.02), to_linear(net(batch["image"])))
        yield {name: errors(albedo, target, mask) for name, albedo in zip(NAMES, made, strict=True)}


def main() -> None:
    """Parse the flags, measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", required=True, help="folder of rendered pairs")
    parser.add_argument("--model", help="AlbedoNet folder or hub id (default: bundled weights)")
    parser.add_argument("--count", type=int, default=100, help="pairs to measure (default 100)")
    args = parser.parse_args()
    net = AlbedoNet.from_pretrained(args.model)
    results = list(pair_errors(net, args.pairs, args.count))
    print(f"{len(results)} pairs\n\n| albedo | error % | coarse % | fine % |\n|---|---|---|---|")
    for name in NAMES:
        means = np.mean([result[name] for result in results], axis=0)
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in means) + " |")


if __name__ == "__main__":
    main()
