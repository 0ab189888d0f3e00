"""Means with intervals: how much they would differ on other people of the same kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TRIALS = 2000
LEVEL = 95  # [%]
FEWEST_PEOPLE = 5  # with fewer, views are drawn instead
FEWEST_VIEWS = 3  # with fewer there is no interval


@dataclass(frozen=True)
class Interval:
    """A mean over views and its bootstrap interval, None where there are too few views."""

    mean: float
    low: float | None
    high: float | None
    count: int

    def text(self, digits: int = 2) -> str:
        """As a cell of a table."""
        if self.low is None or self.high is None:
            return f"{self.mean:.{digits}f}"
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def drawn_are_people(identities: Sequence[str]) -> bool:
    """Whether people are drawn (views of one person resemble each other), or views."""
    return len(set(identities)) >= FEWEST_PEOPLE


def mean_interval(values: Sequence[float], identities: Sequence[str], seed: int = 0) -> Interval:
    """Mean of `values` (N,) of views and the middle 95 % of 2000 means of people drawn anew.

    With fewer than five people, views are drawn instead.

    Raises:
        ValueError: no values.
    """
    if not len(values):
        raise ValueError("a mean needs one value at least, got none")
    numbers = np.asarray(values, np.float64)
    mean = float(numbers.mean())
    if len(numbers) < FEWEST_VIEWS:
        return Interval(mean, None, None, len(numbers))
    groups: Sequence[object] = identities
    if not drawn_are_people(identities):
        groups = range(len(numbers))
    index = np.unique(np.asarray(groups), return_inverse=True)[1].ravel()
    sums, counts = np.bincount(index, numbers), np.bincount(index)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(sums), size=(TRIALS, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return Interval(mean, float(low), float(high), len(numbers))
