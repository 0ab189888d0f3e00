"""Statistics of batch normalization as the finished network meets them ("precise BN").

Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021. Those gathered in training follow weights
that moved on and photos that were altered: tone, blur, uneven light. Pipelines see photos as they
are.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def settle_norms(
    trained: nn.Module, passes: Iterable[object], over_processes: Callable[[Tensor], Tensor]
) -> None:
    """Take mean and variance of every batch normalization in `trained` anew, in place.

    Args:
        trained: the network; its weights stay as they are.
        passes: sends one batch through the network each time that it is advanced; as many in every
            process.
        over_processes: the mean of a tensor over all processes.
    """
    norms = [one for one in trained.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
    usual = [norm.momentum for norm in norms]
    trained.eval()  # no dropout: what a layer is given in use
    for norm in norms:
        norm.train().momentum = 1.0
    for count, _ in enumerate(passes, 1):
        for norm in norms:
            norm.momentum = 1 / (count + 1)  # of the next batch, so that all count alike
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.copy_(over_processes(norm.running_mean))
        norm.running_var.copy_(over_processes(norm.running_var))
    trained.eval()
