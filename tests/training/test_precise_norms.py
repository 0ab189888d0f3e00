"""Batch statistics of the finished network: those of photos as they are."""

import pytest
import torch
from torch import nn
from training_runs import quick

from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.training.config import TrainConfig
from df2net_hub.training.loader import plain_sample
from df2net_hub.training.precise_norms import settle_norms
from df2net_hub.training.rows import open_rows
from df2net_hub.training.run import train


def same(values: torch.Tensor) -> torch.Tensor:
    return values


def test_statistics_are_the_mean_over_all_batches():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Dropout(0.5), nn.BatchNorm2d(4), nn.ReLU())
    weights = {name: one.clone() for name, one in network.named_parameters()}
    batches = [torch.randn(5, 3, 6, 6) + number for number in range(3)]
    settle_norms(network, (network(batch) for batch in batches), same)
    with torch.no_grad():
        seen = [network[0](batch) for batch in batches]  # no channel is dropped
    means = torch.stack([one.mean((0, 2, 3)) for one in seen]).mean(0)
    variances = torch.stack([one.var((0, 2, 3)) for one in seen]).mean(0)
    torch.testing.assert_close(network[2].running_mean, means)
    torch.testing.assert_close(network[2].running_var, variances)
    assert network[2].momentum == 0.1 and not network[2].training
    for name, one in network.named_parameters():
        assert torch.equal(one, weights[name])


def test_processes_share_the_mean_of_theirs():
    network = nn.BatchNorm2d(2)
    settle_norms(network, (network(torch.ones(2, 2, 3, 3)) for _ in range(2)), lambda one: one + 1)
    torch.testing.assert_close(network.running_mean, torch.full((2,), 2.0))
    torch.testing.assert_close(network.running_var, torch.full((2,), 1.0))


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_run_ends_with_the_statistics_of_its_photos_as_they_are(pairs, tiny, tmp_path, ema):
    config = quick(pairs, tiny, tmp_path, epochs=1, ema=ema, precise_norms=24)
    dense = DF2Net.from_folder(train(config)).dense
    rows = open_rows(pairs, ("image", "depth", "mask"), ("morphable",), 0, 32, 0)
    photos = torch.stack([plain_sample(rows, row, 32)["image"] for row in range(24)])
    norm = next(one for one in dense.modules() if isinstance(one, nn.BatchNorm2d))
    given = []
    norm.register_forward_pre_hook(lambda _, features: given.append(features[0]))
    with torch.no_grad():
        dense(photos)
    torch.testing.assert_close(norm.running_mean, given[0].mean((0, 2, 3)), rtol=1e-4, atol=1e-5)


def test_without_precise_norms_statistics_are_those_of_altered_photos(pairs, tiny, tmp_path):
    found = [
        DF2Net.from_folder(train(quick(pairs, tiny, tmp_path / str(n), epochs=1, precise_norms=n)))
        for n in (0, 24)
    ]
    without, precise = (one.dense.state_dict() for one in found)
    for name, values in without.items():
        assert torch.equal(values, precise[name]) != ("running" in name or "tracked" in name), name


def test_a_negative_number_of_photos_is_refused():
    with pytest.raises(ValueError, match="precise_norms must be 0 or more, got -1"):
        TrainConfig(dataset=("pairs",), precise_norms=-1)
