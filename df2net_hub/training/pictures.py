"""A picture of what is learned: a row for each photo, from the photo to the truth."""

import cv2
import numpy as np
import torch
from torch import Tensor

from df2net_hub.losses import network_normals
from df2net_hub.shading import fit_light, shade
from df2net_hub.srgb import to_linear
from df2net_hub.training.objectives import Seen

LIGHT = torch.tensor([-0.4, 0.45, 0.8])  # toward a lamp over the viewer's left shoulder
TILE = 160  # [px]
LABEL = 20


@torch.no_grad()
def learning_picture(seen: Seen) -> np.ndarray:
    """(H,W,3) uint8: photo, depth given, made and aimed at in clay, and the photo shaded anew."""
    image = seen.photo.float()
    columns = {"photo": image}
    if seen.albedo is not None:
        columns |= {"albedo": seen.albedo.float()}
        columns |= {"truth": seen.batch["albedo"]} if "albedo" in seen.batch else {}
    else:
        assert seen.depth is not None
        depths = {"given": seen.given, "made": seen.depth, "target": seen.target_depth}
        columns |= {
            name: clay(depth, seen.inner) for name, depth in depths.items() if depth is not None
        }
        if "albedo" in seen.batch:
            columns |= {"shading": _shaded(seen, image)}
    tiles = [_column(name, values) for name, values in columns.items()]
    return np.hstack(tiles)


def clay(depth: Tensor, mask: Tensor) -> Tensor:
    """(B,3,H,W) in [0,1]: network depth (B,1,H,W) as clay under one lamp, white off the face."""
    lamp = (LIGHT / LIGHT.norm()).to(depth.device)
    light = torch.einsum("bchw,c->bhw", network_normals(depth), lamp).clamp(min=0)[:, None]
    return torch.where(mask, (0.1 + 0.85 * light).expand(-1, 3, -1, -1), 1.0)


def _shaded(seen: Seen, image: Tensor) -> Tensor:
    """Eq. 3 on the depth made, under the light that Eq. 4 fits to the photo."""
    linear, albedo = to_linear(image), to_linear(seen.batch["albedo"].float())
    light = fit_light(linear, albedo, seen.target_normals, seen.inner, 1e-4)
    shaded = shade(albedo, seen.normals, light).clamp(0, 1) ** (1 / 2.2)
    return torch.where(seen.mask, shaded, 1.0)


def _column(name: str, values: Tensor) -> np.ndarray:
    """Photos (B,3,H,W) one below the other under their name."""
    head = np.full((LABEL, TILE, 3), 255, np.uint8)
    cv2.putText(head, name, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (60, 60, 60), 1, cv2.LINE_AA)
    pictures = (values.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    tiles = [cv2.resize(one, (TILE, TILE), interpolation=cv2.INTER_AREA) for one in pictures]
    return np.vstack([head, *tiles])
