"""How unlike the faces trained on are those of other sets?

python benchmarks/face_range.py TRAINED VIEWS [VIEWS ...]

All are what `df2net evaluate` takes, with landmarks; truth alone is looked at, no network. Faces
seen from about the front are laid over one another by their landmarks. The mean of TRAINED, scaled,
shifted and tilted, is fitted to each face; what is left is how far that face lies from it. Networks
take a face for likelier the nearer it is: sets whose faces lie further off than those of TRAINED
come out too much like its mean.

Beside it: how far the middle of an eye's opening lies before the skin above and below the lids. In
life cornea and lids are about level; eyes of game figures may be plates far behind them.
"""

import argparse

import numpy as np

from df2net_hub.evaluating.mean_error import MIDDLE, PX_PER_MM, SIDE, MeanFaceGrid
from df2net_hub.evaluating.sources import open_views
from df2net_hub.evaluating.views import View

LEFT_MM, RIGHT_MM, TOP_MM, LOWER_MM = -65, 65, -28, 105  # brows to chin, without hair and jaw line
ROUNDS = 3  # of mean and fit
EYES = (slice(36, 42), slice(42, 48))
SKIN = 1.6  # times as far from an eye's middle as the edges of its lids


def frontal(source: str, most: int, yaw_deg: float) -> list[View]:
    """Those of the first `most` views that have landmarks and are turned by `yaw_deg` or less."""
    views = [load() for load in open_views(source).loaders[:most]]
    found = [
        view
        for view in views
        if view.landmarks is not None and abs(view.traits.get("yaw") or 0) <= yaw_deg
    ]
    if not found:
        raise ValueError(f"{source}: no view with landmarks turned by {yaw_deg} deg or less")
    return found


def eyes_before_lids(view: View) -> list[float]:
    """How far [mm] the middle of each eye lies before the lids' skin; eyes not seen, left out."""
    found = []
    for eye in EYES:
        points = view.landmarks[eye]
        middle = points.mean(0)
        lids = [middle + SKIN * (points[pair].mean(0) - middle) for pair in ([1, 2], [4, 5])]
        places = np.rint([middle, *lids]).astype(int)
        if places.min() < 0 or (places >= view.mask.shape[::-1]).any():
            continue
        if view.mask[places[:, 1], places[:, 0]].all():
            eyeball, upper, lower = view.depth_mm[places[:, 1], places[:, 0]]
            found.append(float(eyeball - (upper + lower) / 2))
    return found


def faces(views: list[View], grid: MeanFaceGrid) -> np.ndarray:
    """(N,SIDE,SIDE) true heights [mm], NaN off."""
    y, x = (np.mgrid[:SIDE, :SIDE] - np.array(MIDDLE[::-1])[:, None, None]) / PX_PER_MM
    inner = (x >= LEFT_MM) & (x < RIGHT_MM) & (y >= TOP_MM) & (y < LOWER_MM)
    heights = (np.where(view.mask, view.depth_mm, np.nan) for view in views)
    laid = (grid.lay(view.landmarks, one) for view, one in zip(views, heights, strict=True))
    return np.array([np.where(inner, one, np.nan) for one in laid])


def fitted(mean: np.ndarray, face: np.ndarray) -> np.ndarray:
    """`mean`, scaled, shifted and tilted by least squares to `face`; NaN where either is."""
    y, x = np.mgrid[:SIDE, :SIDE]
    both = np.isfinite(mean) & np.isfinite(face)
    terms = np.stack([mean, np.ones_like(mean), x, y], -1)
    factors = np.linalg.lstsq(terms[both], face[both], rcond=None)[0]
    return np.where(both, terms @ factors, np.nan)


def mean_of(found: np.ndarray) -> np.ndarray:
    """The mean face: each face is what the mean, fitted to it, and a rest make."""
    mean = _mean(found)
    for _ in range(ROUNDS):
        mean = mean + _mean(np.array([face - fitted(mean, face) for face in found]))
    return mean


def _mean(maps: np.ndarray) -> np.ndarray:
    """(SIDE,SIDE), NaN where fewer than half of the maps (N,SIDE,SIDE) have a value."""
    known = np.isfinite(maps)
    count = known.sum(0)
    total = np.where(known, maps, 0).sum(0)
    return np.where(count >= len(maps) / 2, total / np.maximum(count, 1), np.nan)


def distances(mean: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(N,) mean distance [mm] of each face from the mean that is fitted to it."""
    return np.array([np.nanmean(np.abs(face - fitted(mean, face))) for face in found])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trained", metavar="TRAINED")
    parser.add_argument("views", nargs="+", metavar="VIEWS")
    parser.add_argument("--most", type=int, default=500, help="views that are read of each (500)")
    parser.add_argument("--yaw", type=float, default=18.0, help="turned by no more [deg] (18)")
    args = parser.parse_args()
    grid = MeanFaceGrid()
    mean = None
    print("| faces | views | distance from the mean, mm | deviation | 90 % | eye before its lids |")
    print("|---|---|---|---|---|---|")
    for source in (args.trained, *args.views):
        views = frontal(source, args.most, args.yaw)
        found = faces(views, grid)
        mean = mean_of(found) if mean is None else mean
        off = distances(mean, found)
        eyes = [one for view in views for one in eyes_before_lids(view)]
        before = f"{np.mean(eyes):.1f} +- {np.std(eyes):.1f}" if eyes else "not seen"
        numbers = (off.mean(), off.std(), np.percentile(off, 90))
        cells = [source, len(off), *(f"{one:.2f}" for one in numbers), before]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
