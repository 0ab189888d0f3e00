"""Every method on every view: numbers of all, pictures of some."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from df2net_hub.evaluating.mean_error import MeanErrors
from df2net_hub.evaluating.methods import DepthMap, Method
from df2net_hub.evaluating.parts import regions_of
from df2net_hub.evaluating.traits import bins_of
from df2net_hub.evaluating.views import View, Views
from df2net_hub.evaluation import (
    FEWEST_PIXELS,
    ErrorMaps,
    detail_scores,
    error_maps,
    errors_of,
    shift_only_error,
)

log = logging.getLogger(__name__)

CURVE_MM = np.arange(0, 20.05, 0.1)  # where cumulative curves are measured


@dataclass(frozen=True, eq=False)
class Measured:
    """One method on one view.

    Attributes:
        values: measure -> number; `report.MEASURES` says what each is.
        curve: share of the pixels with an error of at most each of CURVE_MM.
        nearer_mm: (H,W) how much too near after the fit, NaN off the compared pixels.
        parts: part of the face -> measure -> number; `report.PART_MEASURES` says what each is.
            Empty without landmarks.
    """

    values: dict[str, float]
    curve: np.ndarray
    nearer_mm: np.ndarray
    parts: dict[str, dict[str, float]]


@dataclass(frozen=True, eq=False)
class ViewResult:
    """What all methods reached on one view; a method without result is not in `methods`.

    Attributes:
        parts: method -> what `Measured.parts` holds.
    """

    name: str
    identity: str
    bins: dict[str, str]
    methods: dict[str, dict[str, float]]
    curves: dict[str, np.ndarray]
    parts: dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True, eq=False)
class Pictured:
    """A view that the figures show."""

    view: View
    maps: dict[str, DepthMap]
    nearer_mm: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All of it; `methods` are in the order of the tables.

    Attributes:
        mean_errors: method -> what `MeanErrors.means` gives over the views with landmarks.
    """

    methods: tuple[str, ...]
    results: tuple[ViewResult, ...]
    pictured: tuple[Pictured, ...]
    mean_errors: dict[str, np.ndarray]


def evaluate(
    views: Views,
    methods: Sequence[Method],
    *,
    seed: int = 0,
    pictures: int = 6,
    on_view: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Judge `methods` on `views`; `on_view` is called after each. The numbers repeat.

    Raises:
        ValueError: no method has a result on any view, or a view or a map will not do.
    """
    names: dict[str, None] = {}
    results, pictured, mean_errors = [], [], MeanErrors()
    shown = set(np.linspace(0, len(views) - 1, min(pictures, len(views))).astype(int).tolist())
    for number, load in enumerate(views.loaders):
        view = load()
        maps: dict[str, DepthMap] = {}
        for method in methods:
            maps |= method(view)
        names |= dict.fromkeys(maps)
        measured = {
            name: found
            for name, one in maps.items()
            if (found := measure(view, one, seed)) is not None
        }
        results.append(
            ViewResult(
                view.name,
                view.identity or view.name,
                bins_of(view.traits),
                {name: one.values for name, one in measured.items()},
                {name: one.curve for name, one in measured.items()},
                {name: one.parts for name, one in measured.items()},
            )
        )
        nearer_mm = {name: one.nearer_mm for name, one in measured.items()}
        if number in shown and measured:
            pictured.append(Pictured(view, {name: maps[name] for name in measured}, nearer_mm))
        if view.landmarks is not None:
            mean_errors.add(view.landmarks, nearer_mm)
        on_view()
    if not any(result.methods for result in results):
        raise ValueError(
            f"no method has a result on any of {len(results)} views: no face was found, or the "
            "predictions and the views' masks do not meet"
        )
    return Evaluation(tuple(names), tuple(results), tuple(pictured), mean_errors.means())


def measure(view: View, predicted: DepthMap, seed: int = 0) -> Measured | None:
    """The numbers of a map, or None where it shares too few pixels with the view's mask.

    RANSAC draws from `seed` anew for every map, so a number depends on its own map alone.
    """
    valid = predicted.mask & view.mask
    if valid.sum() < FEWEST_PIXELS:
        log.warning("%s: the prediction and the mask share %d pixels", view.name, valid.sum())
        return None
    rng = np.random.default_rng(seed)
    maps = error_maps(predicted.depth_mm, view.depth_mm, valid, view.mm_per_px, rng)
    ours, true = predicted.depth_mm[valid], view.depth_mm[valid]
    detail_deg, detail = detail_scores(predicted.depth_mm, view.depth_mm, valid, view.mm_per_px)
    values = asdict(errors_of(maps, valid, view.mask))
    if predicted.covered is not None:
        values["covered"] = predicted.covered
    values |= {
        "shift_only": shift_only_error(ours, true),
        "detail_deg": detail_deg,
        "detail": detail,
    }
    if not np.isfinite(list(values.values())).all():
        log.warning("%s: a prediction of NaN, or one too thin to have normals", view.name)
        return None
    error = np.sort(np.abs(maps.nearer_mm[valid]))
    curve = np.searchsorted(error, CURVE_MM, side="right") / len(error)
    return Measured(values, curve, maps.nearer_mm, _by_part(view, maps))


def _by_part(view: View, maps: ErrorMaps) -> dict[str, dict[str, float]]:
    """Part of the face -> its numbers; a part of which too little is compared is not there."""
    if view.landmarks is None:
        return {}
    compared = np.isfinite(maps.angle_deg)
    found = {}
    for part, region in regions_of(view.landmarks, view.mask.shape, view.mm_per_px).items():
        here = compared & region
        if here.sum() >= FEWEST_PIXELS:
            found[part] = {
                "share": float(here.sum() / compared.sum()),
                "mean": float(np.abs(maps.nearer_mm[here]).mean()),
                "nearer": float(maps.nearer_mm[here].mean()),
                "normal_deg": float(maps.angle_deg[here].mean()),
            }
    return found
