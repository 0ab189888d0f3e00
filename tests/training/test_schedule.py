"""The paper's steps and our cosine."""

import pytest
import torch

from df2net_hub.training.config import TrainConfig
from df2net_hub.training.schedule import learning_rate, make_optimizer


def config(**values) -> TrainConfig:
    return TrainConfig(dataset=("pairs",), **values).for_stage("dense")


def test_the_papers_rate_is_divided_by_ten_at_epochs_8_and_9():
    """Sec. 3.6, with 7 steps an epoch."""
    rates = [learning_rate(config(), step, 70) for step in range(70)]
    expected = [1e-3] * 56 + [1e-4] * 7 + [1e-5] * 7
    assert rates == pytest.approx(expected)


def test_the_cosine_warms_up_and_ends_at_zero():
    ours = config(schedule="cosine", warmup=10, lr=2.0)
    assert learning_rate(ours, 0, 100) == pytest.approx(0.2)
    assert learning_rate(ours, 50, 100) == pytest.approx(1.0)
    assert learning_rate(ours, 100, 100) == pytest.approx(0)


def test_optimizers_are_those_of_their_names():
    weights = [torch.nn.Parameter(torch.ones(2))]
    sgd = make_optimizer(config(), weights)
    assert isinstance(sgd, torch.optim.SGD) and sgd.defaults["momentum"] == 0.9
    adamw = make_optimizer(config(optimizer="adamw", lr=0.5), weights)
    assert isinstance(adamw, torch.optim.AdamW) and adamw.defaults["lr"] == 0.5
