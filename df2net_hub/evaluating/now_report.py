"""The report of an evaluation on NoW: the challenge's numbers, means over photos, the curve."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from df2net_hub.evaluating.bootstrap import TRIALS, mean_interval
from df2net_hub.evaluating.figures import draw_curves
from df2net_hub.evaluating.now_run import NowEvaluation, NowResult
from df2net_hub.evaluating.report import Page
from df2net_hub.evaluating.run import CURVE_MM
from df2net_hub.modeling.base import staged_folder

ALL = "all"
COLUMNS = {
    "median": "median mm",
    "mean": "mean mm",
    "std": "std mm",
    "photo_mean": "mean over photos mm",
    "covered": "covered",
}
NOTE = (
    "Median, mean and standard deviation are those of the challenge: over the distances of all "
    "scan vertices of all photos together. The mean over photos counts every photo alike, with the "
    "95 % interval of {trials} bootstrap draws of people. Stages are the visible part of a face: "
    "they are compared with the part of the scan that faces the camera and lies over them, whose "
    "share is `covered`, "
    "and brought onto it without landmarks, from guesses around the pose that the depth map shows. "
    "Whole heads are compared with the whole of it. So the numbers of stages are not those of the "
    "challenge's table, which wants whole meshes."
)


def now_numbers(evaluation: NowEvaluation, seed: int = 0) -> dict[str, Any]:
    """Challenge (and "all") -> method -> the numbers of COLUMNS, found and photos."""
    kinds = [ALL, *evaluation.challenges()]
    return {
        kind: {
            name: _of_method(name, [r for r in evaluation.results if _counts(r, kind)], seed)
            for name in evaluation.methods
        }
        for kind in (kinds if len(kinds) > 2 else [ALL])
    }


def _counts(result: NowResult, kind: str) -> bool:
    return kind in (ALL, result.photo.challenge)


def _of_method(name: str, results: Sequence[NowResult], seed: int) -> dict[str, Any]:
    found = [result for result in results if name in result.distances]
    numbers: dict[str, Any] = {"photos": len(results), "found": len(found)}
    if not found:
        return numbers
    each = [result.distances[name] for result in found]
    known = [one[np.isfinite(one)] for one in each]
    pooled = np.concatenate(known)
    people = [result.photo.subject for result in found]
    interval = mean_interval([float(one.mean()) for one in known], people, seed)
    return numbers | {
        "median": float(np.median(pooled)),
        "mean": float(pooled.mean()),
        "std": float(pooled.std()),
        "photo_mean": interval.mean,
        "photo_mean_text": interval.text(),
        "covered": float(np.mean([np.isfinite(one).mean() for one in each])),
    }


def now_page(numbers: dict[str, Any], settings: dict[str, Any]) -> Page:
    """The report's page."""
    page = Page()
    page.add("title", f"NoW evaluation on {settings['source']}")
    page.add("text", f"{settings['views']} photos. Command: {settings['command']}")
    page.add("text", NOTE.format(trials=TRIALS))
    for kind, methods in numbers.items():
        if len(numbers) > 1:
            page.add("head", kind)
        page.add("table", now_table(methods))
    page.add("picture", "curves.png")
    page.add("text", f"Settings: {json.dumps(settings, ensure_ascii=False)}")
    return page


def now_table(methods: dict[str, dict[str, Any]]) -> list[list[str]]:
    """A table's rows, its head first."""
    rows = [["method", "found", *COLUMNS.values()]]
    for name, one in methods.items():
        cells = ["-"] * len(COLUMNS)
        if one["found"]:
            cells = [f"{one[column]:.2f}" for column in COLUMNS]
            cells[list(COLUMNS).index("photo_mean")] = one["photo_mean_text"]
        rows.append([name, f"{one['found']} of {one['photos']}", *cells])
    return rows


def now_curves(evaluation: NowEvaluation) -> np.ndarray:
    """Share of all distances of at most so many mm (H,W,3) uint8, as the challenge draws it."""
    curves = {}
    for name in evaluation.methods:
        found = [r.distances[name] for r in evaluation.results if name in r.distances]
        if found:
            pooled = np.concatenate(found)
            pooled = np.sort(pooled[np.isfinite(pooled)])
            curves[name] = np.searchsorted(pooled, CURVE_MM, side="right") / len(pooled)
    return draw_curves(curves, "distance of the scan from the surface [mm]")


def write_now_report(
    folder: Path, evaluation: NowEvaluation, numbers: dict[str, Any], settings: dict[str, Any]
) -> list[Path]:
    """Write report.md, report.html, report.json and curves.png, all or none; their paths."""
    page = now_page(numbers, settings)
    views = {
        result.photo.name: {
            name: {"mean": float(np.nanmean(one)), "median": float(np.nanmedian(one))}
            for name, one in result.distances.items()
        }
        for result in evaluation.results
    }
    whole = {"settings": settings, "methods": numbers, "views": views}
    texts = {
        "report.md": page.markdown(),
        "report.html": page.html(),
        "report.json": json.dumps(whole, indent=1, allow_nan=False),
    }
    with staged_folder(folder) as staged:
        for name, text in texts.items():
            (staged / name).write_text(text, encoding="utf-8")
        if not cv2.imwrite(str(staged / "curves.png"), now_curves(evaluation)[..., ::-1]):
            raise OSError(f"{folder / 'curves.png'} cannot be written; is the disk full?")
    return [folder / name for name in (*texts, "curves.png")]
