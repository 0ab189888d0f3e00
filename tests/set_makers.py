"""Makers of tiny rows for the tests of sets; a module of its own, as worker processes import it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from df2net_hub.pairs import encode_row


def row(index: int, size: int = 16, source: str = "morphable") -> dict[str, Any]:
    """A slanted plane with noise for a photo; without depth and normals if `source` is fine."""
    rng = np.random.default_rng([1, index])
    mask = np.zeros((size, size), bool)
    mask[2:-2, 2:-2] = True
    slope = rng.uniform(-0.01, 0.01)
    depth = np.where(mask, slope * (np.arange(size) - (size - 1) / 2), np.nan)
    normal = np.array([-slope, 0, 1]) / np.hypot(slope, 1)
    known = source != "fine"
    return encode_row(
        id=f"row-{index:04d}",
        source=source,
        image=rng.integers(0, 256, (size, size, 3), np.uint8),
        mask=mask,
        depth=depth if known else None,
        normals=np.where(mask[..., None], normal, np.nan) if known else None,
        scores={"detail": 0.5},
    )


@dataclass(frozen=True)
class Rows:
    """Makes a row of most inputs.

    Attributes:
        reject_every: inputs divisible by it give none; 0 rejects nothing.
        fail_at, kill_at: this input raises an error, or kills the worker that makes it.
        stall_from, stall_s: inputs from this one on take so long.
        missing: a file without which it cannot open.
    """

    reject_every: int = 0
    fail_at: int = -1
    kill_at: int = -1
    stall_from: int = 1_000_000
    stall_s: float = 0.0
    source: str = "morphable"
    size: int = 16
    missing: str = ""

    def open(self) -> Callable[[int], dict[str, Any] | str]:
        if self.missing:
            raise FileNotFoundError(f"no texture {self.missing}")
        return self._make

    def _make(self, index: int) -> dict[str, Any] | str:
        if index >= self.stall_from:
            time.sleep(self.stall_s)
        if index == self.fail_at:
            raise ValueError("vertex 7 is NaN")
        if index == self.kill_at:
            os.kill(os.getpid(), 9)
        if self.reject_every and index % self.reject_every == 0:
            return "no face found" if index % 2 else "too blurred"
        return row(index, self.size, self.source)
