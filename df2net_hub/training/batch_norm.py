"""Batch normalization over the batch of all processes, on the CPU too.

PyTorch's SyncBatchNorm runs on GPUs alone. With statistics of the whole batch, a run does not
depend on the number of its processes.
"""

from typing import Any

import torch
from torch import Tensor, nn


class _SumOverProcesses(torch.autograd.Function):
    """The sum of every process's values; gradients flow back to the features of each.

    The function of `torch.distributed.nn` keeps the process group alive beyond its end, as the
    default of an argument, and processes that exit with its threads running can abort.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        torch.distributed.all_reduce(total)
        return total


class SharedBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose statistics in training are those of all processes' batches."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalized (B,C,H,W)."""
        if not self.training:
            return super().forward(features)
        sums = torch.cat(
            [
                features.sum((0, 2, 3)),
                features.square().sum((0, 2, 3)),
                features.new_tensor([features.numel() / features.shape[1]]),
            ]
        )
        sums = _SumOverProcesses.apply(sums)
        total, squares, count = sums[: self.num_features], sums[self.num_features : -1], sums[-1]
        mean = total / count
        variance = (squares / count - mean.square()).clamp(min=0)
        self._track(mean.detach(), variance.detach(), count.detach())
        scale = self.weight * (variance + self.eps).rsqrt()
        return features * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)


def share_batch_norms(network: nn.Module, device: torch.device) -> None:
    """Make every batch normalization within `network` one over all processes, in place."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm2d
