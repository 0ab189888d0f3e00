"""The mean of several runs' weights."""

import pytest
import torch

from df2net_hub.averaging import average_weights
from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig
from df2net_hub.modeling.dnet_residual import ResidualDNet, ResidualDNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig


def tiny(seed: int, width: int = 1, mirror: bool = False) -> DF2Net:
    torch.manual_seed(seed)
    dense = ResidualDNet(ResidualDNetConfig(widths=(2, 2), blocks=(0, 1), working_size=16))
    return DF2Net(
        DF2NetConfig(mirror=mirror), dense, FNet(FNetConfig(width=width)), FrNet(FrNetConfig(1))
    ).eval()


def test_every_weight_is_the_mean_of_the_runs() -> None:
    runs = [tiny(seed).state_dict() for seed in (1, 2, 3)]
    mean = average_weights([tiny(seed) for seed in (1, 2, 3)]).state_dict()
    for name, value in mean.items():
        if value.is_floating_point():
            expected = sum(run[name] for run in runs) / 3
            assert torch.allclose(value, expected, atol=1e-7), name


def test_shares_say_how_much_each_run_counts() -> None:
    runs = [tiny(seed).state_dict() for seed in (1, 2)]
    mean = average_weights([tiny(1), tiny(2)], (6, 2)).state_dict()
    for name, value in mean.items():
        if value.is_floating_point():
            expected = 0.75 * runs[0][name] + 0.25 * runs[1][name]
            assert torch.allclose(value, expected, atol=1e-7), name


@pytest.mark.parametrize("shares", [(1,), (1, 0), (1, -1), (1, float("inf")), (1, float("nan"))])
def test_shares_that_make_no_mean_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="one positive share for each of 2 models"):
        average_weights([tiny(1), tiny(2)], shares)


def test_batch_statistics_are_averaged_and_counts_kept() -> None:
    runs = [tiny(0), tiny(0)]
    names = [name for name, _ in runs[0].named_buffers() if "running_var" in name]
    assert names
    for run, variance, seen in zip(runs, (1.0, 4.0), (7, 9), strict=True):
        for name, buffer in run.named_buffers():
            if "running_var" in name:
                buffer.fill_(variance)
            if "num_batches" in name:
                buffer.fill_(seen)
    mean = dict(average_weights(runs).named_buffers())
    assert all((mean[name] == 2.5).all() for name in names)
    assert {int(mean[name]) for name in mean if "num_batches" in name} == {7}


def test_equal_runs_average_to_themselves() -> None:
    before = tiny(5).state_dict()
    after = average_weights([tiny(5), tiny(5)]).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_runs_of_other_networks_are_refused_with_name_and_shapes() -> None:
    with pytest.raises(ValueError, match=r"fine\..*of model 2 has shape \[.*the first \["):
        average_weights([tiny(0), tiny(0, width=2)])


def test_runs_of_other_cascades_are_refused() -> None:
    with pytest.raises(ValueError, match="model 2 is .*mirror=True"):
        average_weights([tiny(0), tiny(0, mirror=True)])


def test_a_run_that_went_astray_is_refused() -> None:
    broken = tiny(1)
    with torch.no_grad():
        next(broken.fine.parameters()).view(-1)[0] = torch.nan
    with pytest.raises(ValueError, match=r"fine\..*of model 2 has values that are not finite"):
        average_weights([tiny(0), broken])
