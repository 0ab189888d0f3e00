"""How far a predicted depth map is from the truth. DF2Net (ICCV 2019) Sec. 4.2.

A weak-perspective depth map is known up to its absolute height, and in the paper's protocol up to
its scale: both are fitted by RANSAC before the absolute error is taken over the valid pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from df2net_hub.geometry import depth_to_normals

RANSAC_TRIALS = 500
COUNTED_PIXELS = 2000  # on which a trial's inliers are counted
REFITS = 3
FEWEST_PIXELS = 32
INLIER_MM = 5.0
DETAIL_MM = 4.0  # deviation of the Gaussian; relief of longer waves is shape, not detail
DETAIL_EDGE_MM = 8.0  # nearer to the mask's edge the Gaussian lacks one side
LEAST_SHARE = 0.001


@dataclass(frozen=True)
class DepthErrors:
    """Errors of one map over its valid pixels.

    Attributes:
        mean, std, median, largest90: absolute depth error after the fit [mm]; `largest90` is its
            90th percentile.
        normal_deg: mean angle between predicted and true normals, scale held at the truth's [deg].
        covered: share of the truth's mask that the prediction covers.
    """

    mean: float
    std: float
    median: float
    largest90: float
    normal_deg: float
    covered: float


@dataclass(frozen=True, eq=False)
class ErrorMaps:
    """Errors of one map (H,W) float32, NaN off its valid pixels.

    Attributes:
        nearer_mm: how much too near after scale and shift [mm].
        angle_deg: between predicted and true normals, scale held [deg]; NaN at the edge, too.
    """

    nearer_mm: np.ndarray
    angle_deg: np.ndarray


def ransac_scale_shift(
    predicted: np.ndarray, truth: np.ndarray, rng: np.random.Generator, inlier: float = INLIER_MM
) -> tuple[float, float]:
    """Scale a and shift b such that a * predicted + b fits `truth` (N,) for most pixels.

    Each trial draws a line through two random pixels; the one with most pixels within `inlier`
    [unit of truth] wins and is fitted again, by least squares, on those.

    Raises:
        ValueError: fewer than 32 pixels.
    """
    if len(truth) < FEWEST_PIXELS:
        raise ValueError(
            f"{len(truth)} valid pixels are too few for a fit; {FEWEST_PIXELS} are needed"
        )
    first, second = rng.integers(len(truth), size=(2, RANSAC_TRIALS))
    run = predicted[second] - predicted[first]
    usable = np.abs(run) > 1e-6
    first, second, run = first[usable], second[usable], run[usable]
    scales = (truth[second] - truth[first]) / run
    first, scales = first[scales > 0], scales[scales > 0]
    if not len(scales):  # a flat prediction: only its height can be fitted
        return 1.0, float(np.median(truth - predicted))
    shifts = truth[first] - scales * predicted[first]
    some = rng.integers(len(truth), size=COUNTED_PIXELS)
    misses = np.abs(scales[:, None] * predicted[some] + shifts[:, None] - truth[some])
    best = int((misses < inlier).sum(1).argmax())
    scale, shift = float(scales[best]), float(shifts[best])
    for _ in range(REFITS):
        near = np.abs(scale * predicted + shift - truth) < inlier
        if near.sum() < FEWEST_PIXELS:
            break
        scale, shift = _fit_line(predicted[near], truth[near])
    return scale, shift


def _fit_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    x_mean, y_mean = x.mean(dtype=np.float64), y.mean(dtype=np.float64)
    variance = ((x - x_mean) ** 2).mean(dtype=np.float64)
    scale = ((x - x_mean) * (y - y_mean)).mean(dtype=np.float64) / variance
    return float(scale), float(y_mean - scale * x_mean)


def depth_errors(
    predicted_mm: np.ndarray,
    predicted_mask: np.ndarray,
    truth_mm: np.ndarray,
    truth_mask: np.ndarray,
    mm_per_px: float,
    rng: np.random.Generator,
) -> DepthErrors:
    """Compare two depth maps (H,W) [mm] on the same pixels, where both masks hold.

    Raises:
        ValueError: the masks overlap in fewer than 32 pixels.
    """
    known = truth_mask & np.isfinite(truth_mm)
    valid = predicted_mask & known
    return errors_of(error_maps(predicted_mm, truth_mm, valid, mm_per_px, rng), valid, known)


def error_maps(
    predicted_mm: np.ndarray,
    truth_mm: np.ndarray,
    valid: np.ndarray,
    mm_per_px: float,
    rng: np.random.Generator,
) -> ErrorMaps:
    """Compare two depth maps (H,W) [mm] pixel by pixel where `valid` (H,W) holds.

    Raises:
        ValueError: fewer than 32 valid pixels.
    """
    scale, shift = ransac_scale_shift(predicted_mm[valid], truth_mm[valid], rng)
    nearer_mm = np.full(valid.shape, np.nan, np.float32)
    nearer_mm[valid] = scale * predicted_mm[valid] + shift - truth_mm[valid]
    normals = normals_of(predicted_mm, mm_per_px)
    true_normals = normals_of(np.where(np.isfinite(truth_mm), truth_mm, 0), mm_per_px)
    cosine = (normals * true_normals).sum(-1).clip(-1, 1)
    angle_deg = np.where(_erode(valid), np.degrees(np.arccos(cosine)), np.float32(np.nan))
    return ErrorMaps(nearer_mm, angle_deg)


def errors_of(maps: ErrorMaps, valid: np.ndarray, known: np.ndarray) -> DepthErrors:
    """The numbers of error maps (H,W) of the `valid` pixels; `known` says where a truth is."""
    error = np.abs(maps.nearer_mm[valid])
    return DepthErrors(
        mean=float(error.mean()),
        std=float(error.std()),
        median=float(np.median(error)),
        largest90=float(np.percentile(error, 90)),
        normal_deg=float(maps.angle_deg[np.isfinite(maps.angle_deg)].mean()),
        covered=float(error.size / max(known.sum(), 1)),
    )


def shift_only_error(predicted_mm: np.ndarray, truth_mm: np.ndarray) -> float:
    """Mean absolute error of (N,) heights [mm] after the best shift, the median of differences."""
    difference = predicted_mm.astype(np.float64) - truth_mm
    return float(np.abs(difference - np.median(difference)).mean())


def high_pass(depth_mm: np.ndarray, mask: np.ndarray, mm_per_px: float) -> np.ndarray:
    """Depth (H,W) less its Gaussian mean over the pixels of `mask` around each; 0 off the mask."""
    sigma = DETAIL_MM / mm_per_px
    inside = mask.astype(np.float32)
    depth = np.where(mask, depth_mm, 0).astype(np.float32)
    blurred = cv2.GaussianBlur(depth, (0, 0), sigma)
    share = cv2.GaussianBlur(inside, (0, 0), sigma)
    return np.where(mask, depth - blurred / np.maximum(share, LEAST_SHARE), np.float32(0))


def detail_scores(
    predicted_mm: np.ndarray, truth_mm: np.ndarray, mask: np.ndarray, mm_per_px: float
) -> tuple[float, float]:
    """How far wrinkles and pores agree, which a mean depth error does not see.

    Both maps lose everything wider than 4 mm; what stays is seen through its normals, more than
    8 mm from the mask's edge (everywhere on masks that are too small for that).

    Returns:
        The mean angle between those normals [deg], and the correlation of how they lean: 1 for the
        same detail at any strength, 0 for none or other detail.
    """
    from_edge = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inner = from_edge > DETAIL_EDGE_MM / mm_per_px
    if inner.sum() < FEWEST_PIXELS:
        inner = _erode(mask)
    leaning = [
        normals_of(high_pass(depth, mask, mm_per_px), mm_per_px)[inner].astype(np.float64)
        for depth in (predicted_mm, truth_mm)
    ]
    cosine = (leaning[0] * leaning[1]).sum(-1).clip(-1, 1)
    ours, true = (normals[:, :2].ravel() for normals in leaning)
    strength = np.sqrt((ours @ ours) * (true @ true))
    alike = float(ours @ true / strength) if strength > 1e-9 * len(ours) else 0.0
    return float(np.degrees(np.arccos(cosine)).mean()), alike


def normals_of(depth_mm: np.ndarray, mm_per_px: float) -> np.ndarray:
    """(H,W,3) unit normals of a depth map (H,W) [mm]."""
    depth_px = torch.from_numpy(np.ascontiguousarray(depth_mm / mm_per_px, np.float32))[None, None]
    return depth_to_normals(depth_px)[0].permute(1, 2, 0).numpy()


def _erode(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, 1)
    return mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
