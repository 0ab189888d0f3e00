"""Intervals of means: people are drawn, the numbers repeat, the coverage is about right."""

import numpy as np
import pytest

from df2net_hub.evaluating.bootstrap import mean_interval


def test_the_interval_of_independent_values_is_two_standard_errors() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = mean_interval(values, [str(n) for n in range(400)])
    assert found.mean == pytest.approx(values.mean())
    assert found.high is not None and found.low is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.08)
    assert found == mean_interval(values, [str(n) for n in range(400)])


def test_views_of_one_person_count_as_one() -> None:
    values = np.repeat(np.random.default_rng(1).normal(0, 1, 10), 20)
    people = np.repeat([f"p{n}" for n in range(10)], 20).tolist()
    apart = mean_interval(values, [str(n) for n in range(200)])
    together = mean_interval(values, people)
    assert apart.high is not None and together.high is not None
    assert apart.low is not None and together.low is not None
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_fewer_than_five_people_are_drawn_as_views() -> None:
    values = np.arange(12.0)
    found = mean_interval(values, ["one"] * 12)
    assert found.low is not None and found.low < 5.5 < (found.high or 0)


def test_two_values_have_a_mean_only() -> None:
    found = mean_interval([1.0, 2.0], ["a", "b"])
    assert (found.mean, found.low, found.high, found.text()) == (1.5, None, None, "1.50")


def test_no_values_are_an_error() -> None:
    with pytest.raises(ValueError, match="one value at least"):
        mean_interval([], [])
