"""The mean of the weights of several runs from one start: errors of single runs cancel.

Model soups (Wortsman et al., ICML 2022). On a CPU it is also a fast way to use all cores: one
run on each, the mean, and again from there (local SGD, Stich, ICLR 2019). Runs that began from
different random weights have nothing in common that could be averaged.

The mean of a run and what it began with, most of it the run, forgets less of what the run's photos
did not show (robust fine-tuning, Wortsman et al., CVPR 2022).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from df2net_hub.modeling.cascade import DF2Net


def average_weights(cascades: Sequence[DF2Net], shares: Sequence[float] = ()) -> DF2Net:
    """The first of `cascades`, its weights and batch statistics now the mean over all of them.

    Args:
        cascades: runs from one start, one or more.
        shares: how much each cascade counts, in any unit; empty: all alike.

    Raises:
        ValueError: the cascades are not of the same networks, a weight is not finite, or there is
            not one positive share for each cascade.
    """
    first = cascades[0]
    shares = shares or [1.0] * len(cascades)
    if len(shares) != len(cascades) or not all(0 < share < math.inf for share in shares):
        raise ValueError(
            f"give one positive share for each of {len(cascades)} models, got {list(shares)}"
        )
    states = [one.state_dict() for one in cascades]
    for number, (one, state) in enumerate(zip(cascades, states, strict=True), 1):
        if one.config != first.config:
            raise ValueError(f"model {number} is {one.config}, the first is {first.config}")
        for name in sorted(states[0].keys() | state.keys()):
            shapes = [list(s[name].shape) if name in s else None for s in (state, states[0])]
            if shapes[0] != shapes[1]:
                raise ValueError(
                    f"{name} of model {number} has shape {shapes[0]}, that of the first "
                    f"{shapes[1]}; give runs of the same networks"
                )
            if not torch.isfinite(state[name]).all():
                raise ValueError(f"{name} of model {number} has values that are not finite")
    first.load_state_dict(
        {name: _mean([state[name] for state in states], shares) for name in states[0]}
    )
    return first


def _mean(values: list[Tensor], shares: Sequence[float]) -> Tensor:
    """The mean, in double precision; of counts (of batches seen) the first."""
    if not values[0].is_floating_point():
        return values[0]
    parts = [one.double() * share for one, share in zip(values, shares, strict=True)]
    return (torch.stack(parts).sum(0) / sum(shares)).to(values[0].dtype)
