"""Every method on every photo of NoW: distances of the scan from the aligned surface."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from df2net_hub.evaluating.now import NowPhoto, read_scan
from df2net_hub.evaluating.now_methods import NowMethod
from df2net_hub.evaluating.scan_distance import align

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class NowResult:
    """One photo: method -> distances (N,) [mm] of the scan's vertices, NaN where none is known."""

    photo: NowPhoto
    distances: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class NowEvaluation:
    """All of it; `methods` are in the order of the tables."""

    methods: tuple[str, ...]
    results: tuple[NowResult, ...]

    def challenges(self) -> list[str]:
        """The kinds of photos, in alphabetical order."""
        return sorted({result.photo.challenge for result in self.results})


def evaluate_now(
    photos: Sequence[NowPhoto],
    methods: Sequence[NowMethod],
    *,
    on_photo: Callable[[], object] = lambda: None,
) -> NowEvaluation:
    """Judge `methods` on `photos`; `on_photo` is called after each. Nothing in it is random.

    Raises:
        ValueError: no method has a result on any photo, or a scan or a mesh will not do.
    """
    names: dict[str, None] = {}
    results = []
    for photo in photos:
        scan = read_scan(photo)
        distances = {}
        for method in methods:
            for name, candidate in method(photo).items():
                names[name] = None
                found = align(scan.surface, candidate.surface, candidate.starts(scan))
                if found is None:
                    log.warning("%s: %s cannot be brought onto the scan", photo.name, name)
                else:
                    distances[name] = found[1]
        results.append(NowResult(photo, distances))
        on_photo()
    if not any(result.distances for result in results):
        raise ValueError(f"no method has a result on any of {len(results)} photos")
    return NowEvaluation(tuple(names), tuple(results))
