"""Errors on pairs that are never trained on: of the weights that would be exported."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import default_collate

from df2net_hub.geometry import DEPTH_UNIT_PX
from df2net_hub.losses import depth_loss, erode, network_normals
from df2net_hub.training.config import StageConfig
from df2net_hub.training.loader import on_device, plain_sample
from df2net_hub.training.objectives import Seen, weighted_losses
from df2net_hub.training.presets import LossWeights
from df2net_hub.training.rows import open_rows
from df2net_hub.training.stage import seen_by

# Which error says whether the exported weights became better.
SCORES = {"dense": "depth_px", "fine": "normal_deg", "finer": "normal_deg", "albedo": "loss"}


class Validation:
    """Measures a stage on evenly spaced rows of `config.validation`.

    Args:
        config: of the stage.
        process, processes: this process measures every `processes`-th row.
    """

    def __init__(self, config: StageConfig, process: int, processes: int) -> None:
        self.config = config
        truth = "albedo" if config.stage == "albedo" else "depth"
        columns = tuple(sorted({"image", "mask", truth}))
        kinds = ("morphable", "reconstructed")
        self.rows = open_rows(
            config.validation,
            columns,
            kinds,
            config.validation_pairs,
            config.resolution,
            # A renderer draws from another seed than it trains on.
            config.seed + 1_000_000,
        )
        count = min(config.validation_pairs, len(self.rows))
        chosen = np.linspace(0, len(self.rows) - 1, count).round().astype(int)
        self.first, self.mine = int(chosen[0]), chosen[process::processes]

    def batch(self, rows: np.ndarray, device: torch.device) -> dict[str, Any]:
        """Rows as one batch."""
        size: int = self.config.resolution
        samples = [plain_sample(self.rows, int(row), size) for row in rows]
        return on_device(default_collate(samples), device)

    @torch.no_grad()
    def measure(
        self, trainer: nn.Module, device: torch.device, total: Callable[[Tensor], Tensor]
    ) -> dict[str, float]:
        """Mean errors over all processes' rows; `total` sums a tensor over the processes.

        Depth error [px of a 512 crop], the mean height of each face taken out; mean angle between
        normals [deg]. Of AlbedoNet its loss.
        """
        sums: dict[str, Tensor] = {}
        for row in self.mine:
            batch = self.batch(np.array([row]), device)
            seen = seen_by(trainer, self.config.stage, batch, "truth")
            for name, value in _errors(seen, self.config.stage).items():
                sums[name] = sums.get(name, torch.zeros((), device=device)) + value
        names = ("loss",) if self.config.stage == "albedo" else ("depth_px", "normal_deg")
        zero = torch.zeros((), device=device)
        values = torch.stack(
            [
                *(sums.get(name, zero) for name in names),
                torch.tensor(float(len(self.mine)), device=device),
            ]
        )
        values = total(values)
        return {name: float(values[i] / values[-1]) for i, name in enumerate(names)}


def _errors(seen: Seen, stage: str) -> dict[str, Tensor]:
    if stage == "albedo":
        weights = LossWeights(albedo=1, albedo_edge=1)
        return {"loss": torch.stack(list(weighted_losses(weights, seen).values())).sum()}
    return {
        "depth_px": depth_error_px(seen.depth, seen.target_depth, seen.mask),
        "normal_deg": normal_error_deg(seen.depth, seen.target_depth, seen.mask),
    }


def depth_error_px(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute depth error of one photo (1,1,H,W), its mean taken out [px of a 512 crop]."""
    difference = (depth - target).float()
    shift = (difference * mask).sum() / mask.sum().clamp(min=1)
    return DEPTH_UNIT_PX * depth_loss(difference - shift, torch.zeros_like(difference), mask)


def normal_error_deg(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean angle between the normals of two depth maps (1,1,H,W) [deg]."""
    inner = erode(mask)
    cosine = (network_normals(depth) * network_normals(target)).sum(1, keepdim=True)
    angle = torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
    return (angle * inner).sum() / inner.sum().clamp(min=1)
