"""Learning rate of a step, and the optimizer it is for."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from df2net_hub.training.config import StageConfig

DROPS = (8, 9)  # epochs at which the paper divides the learning rate by 10, Sec. 3.6


def learning_rate(config: StageConfig, step: int, steps: int) -> float:
    """Of step `step` (from 0) of `steps`; epochs of a shorter or longer run count in proportion.

    "steps" divides by 10 at 8/10 and 9/10 of the run, which is epochs 8 and 9 of the paper's 10.
    """
    lr: float = config.lr
    rise = min(1.0, (step + 1) / max(config.warmup, 1))
    if config.schedule == "cosine":
        return lr * rise * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))
    return lr * rise * 0.1 ** sum(step >= drop / 10 * steps for drop in DROPS)


def make_optimizer(
    config: StageConfig, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, or AdamW with weight decay 1e-4."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, config.lr, momentum=0.9)
    return torch.optim.AdamW(parameters, config.lr, weight_decay=1e-4, fused=True)
