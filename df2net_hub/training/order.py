"""Which row is seen when: a function of seed and position alone, so a run can go on anywhere.

The epochs are one endless row of keys; batch k is its k-th piece, across borders of epochs too.
So no row is lost at the end of an epoch, and none comes twice within one.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count

import numpy as np

Key = tuple[int, int, int]  # number of the set, pass over it, row


class Order:
    """Shuffled rows of several sets.

    Args:
        lengths: rows of each set.
        shares: of an epoch that each set gets, in any unit; none: every row once. A set with a
            share begins its next pass when all its rows have been seen, wherever the epoch stands.
        seed: of the shuffles.
    """

    def __init__(self, lengths: Sequence[int], shares: Sequence[float], seed: int) -> None:
        self.lengths, self.seed = tuple(lengths), seed
        self.length = sum(lengths)  # rows of an epoch
        self.drawn = draws(self.lengths, shares)
        self.epoch = lru_cache(maxsize=2)(self._epoch)

    def _epoch(self, epoch: int) -> list[Key]:
        keys = [
            self._key(number, epoch * drawn + position)
            for number, drawn in enumerate(self.drawn)
            for position in range(drawn)
        ]
        rng = np.random.default_rng([self.seed, epoch])
        return [keys[index] for index in rng.permutation(len(keys))]

    def _key(self, number: int, position: int) -> Key:
        turn, place = divmod(position, self.lengths[number])
        return number, turn, int(self._shuffled(number, turn)[place])

    @lru_cache(maxsize=16)  # noqa: B019  # one order lives as long as its run
    def _shuffled(self, number: int, turn: int) -> np.ndarray:
        return np.random.default_rng([self.seed, number, turn]).permutation(self.lengths[number])

    def keys(self, first: int, number: int) -> list[Key]:
        """`number` keys from position `first` of the endless row."""
        found: list[Key] = []
        while len(found) < number:
            epoch, place = divmod(first + len(found), self.length)
            found += self.epoch(epoch)[place : place + number - len(found)]
        return found


def draws(lengths: Sequence[int], shares: Sequence[float]) -> list[int]:
    """Rows that an epoch takes of each set; together as many as there are rows."""
    if not shares:
        return list(lengths)
    exact = np.asarray(shares, float) / sum(shares) * sum(lengths)
    drawn = np.floor(exact).astype(int)
    rest = np.argsort(drawn - exact)[: sum(lengths) - drawn.sum()]  # largest remainders first
    drawn[rest] += 1
    return drawn.tolist()


class StepBatches:
    """A batch sampler of endless batches from `first` on."""

    drop_last = True

    def __init__(self, order: Order, batch_size: int, first: int) -> None:
        self.order, self.batch_size, self.first = order, batch_size, first

    def __iter__(self) -> Iterator[list[Key]]:
        for number in count(self.first):
            yield self.order.keys(number * self.batch_size, self.batch_size)
