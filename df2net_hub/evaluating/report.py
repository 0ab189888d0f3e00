"""The report of an evaluation: Markdown, HTML and JSON of the same numbers, and the figures."""

import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from df2net_hub.evaluating.bootstrap import FEWEST_PEOPLE, TRIALS, drawn_are_people
from df2net_hub.evaluating.run import Evaluation
from df2net_hub.evaluating.summary import COMPARED, MethodSummary, Summary
from df2net_hub.modeling.base import staged_folder

MEASURES = {  # name -> head of the column, digits, what it is
    "mean": ("mean mm", 2, "mean absolute depth error after RANSAC scale and shift"),
    "std": ("std", 2, "standard deviation of that error over the pixels of a photo"),
    "median": ("median", 2, "its median over the pixels"),
    "largest90": ("90 %", 2, "its 90th percentile: nine tenths of the pixels are better"),
    "shift_only": ("shift only mm", 2, "mean absolute error with the scale held, only shifted"),
    "normal_deg": ("normals deg", 1, "mean angle between predicted and true normals, scale held"),
    "detail_deg": ("detail deg", 1, "that angle of the relief finer than 4 mm alone"),
    "detail": (
        "detail",
        3,
        "correlation of that relief's normals with the truth's: 1 the same wrinkles, 0 none",
    ),
    "covered": ("covered", 3, "share of the true face that the method takes for face"),
}
PART_MEASURES = {
    "share": ("share", 3, "share of the compared pixels"),
    "mean": ("mean mm", 2, "mean absolute depth error there, after the fit to the whole face"),
    "nearer": ("too near mm", 2, "mean of that error with its sign: above 0 nearer than the truth"),
    "normal_deg": ("normals deg", 1, "mean angle between predicted and true normals there"),
}
IN_BINS = ("mean", "shift_only", "normal_deg", "detail")
CAPTIONS = {
    "curves.png": "Share of the pixels with at most that error, mean over photos with a result.",
    "stages.png": "The stages side by side (as the paper's Figure 6), inside the true mask.",
    "methods.png": "Methods side by side (as the paper's Figure 7), inside the true mask.",
    "heatmaps.png": "Error in percent of the true relief (as the paper's Figure 8): the distance "
    "between the 1st and the 99th percentile of the true depth.",
    "mean_errors.png": "What is supposed wrongly of all faces: the mean of the error with its sign "
    "at each place of the face, photos laid over one another by their landmarks.",
}
PARTS_ARE = (
    "By the view's landmarks: eyes are what is seen between the lids, lids the 5 mm around; nose "
    "and mouth reach 5 and 2 mm beyond their outlines. Photos in which a part is not seen are left "
    "out of its row."
)
WORST = 5


@dataclass
class Page:
    """What stands on the report: headings, paragraphs, tables and pictures in order."""

    parts: list[tuple[str, Any]] = field(default_factory=list)

    def add(self, kind: str, content: Any) -> None:
        self.parts.append((kind, content))

    def markdown(self) -> str:
        """The page as Markdown."""
        lines = []
        for kind, content in self.parts:
            if kind == "table":
                head, *rows = content
                lines += [_row(head), "|" + "---|" * len(head), *map(_row, rows), ""]
            elif kind == "picture":
                lines += [f"![{CAPTIONS[content]}]({content})", "", CAPTIONS[content], ""]
            else:
                lines += [{"title": "# ", "head": "## ", "text": ""}[kind] + content, ""]
        return "\n".join(lines)

    def html(self) -> str:
        """The page as one HTML file without scripts; pictures lie beside it."""
        body = []
        for kind, content in self.parts:
            if kind == "table":
                head, *rows = content
                cells = [_html_row(head, "th"), *(_html_row(row, "td") for row in rows)]
                body.append(f"<table>{''.join(cells)}</table>")
            elif kind == "picture":
                body.append(f'<p><img src="{content}" alt=""><br>{CAPTIONS[content]}</p>')
            else:
                tag = {"title": "h1", "head": "h2", "text": "p"}[kind]
                body.append(f"<{tag}>{html.escape(content)}</{tag}>")
        return HTML.replace("BODY", "\n".join(body))


HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Evaluation</title><style>
body { font: 15px/1.45 sans-serif; max-width: 1200px; margin: 2em auto; color: #222 }
table { border-collapse: collapse; font-size: 13px } img { max-width: 100% }
td, th { border-bottom: 1px solid #ddd; padding: 3px 9px; text-align: left }
</style></head><body>
BODY
</body></html>
"""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _html_row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def page_of(
    evaluation: Evaluation, summary: Summary, settings: dict[str, Any], pictures: Sequence[str]
) -> Page:
    """The report's page."""
    page, results = Page(), evaluation.results
    page.add("title", f"Evaluation on {settings['source']}")
    drawn = "people" if drawn_are_people([result.identity for result in results]) else "photos"
    page.add(
        "text",
        f"{len(results)} photos. Each number is a mean over the photos with a result; in brackets "
        f"the 95 % interval of {TRIALS} bootstrap draws of {drawn} (of photos where fewer than "
        f"{FEWEST_PEOPLE} people are there). Command: {settings['command']}",
    )
    page.add("table", [_head("method"), *_method_rows(summary.methods, tuple(MEASURES))])
    page.add("head", f"Less {summary.reference}, on the same photos")
    page.add("text", "An interval that does not hold 0 says that the order is no accident.")
    page.add("table", _difference_table(summary))
    if summary.parts:
        page.add("head", "By part of the face")
        page.add("text", PARTS_ARE)
        page.add("table", _part_table(summary))
    for kind, bins in summary.bins.items():
        if len(bins) == 1:  # the same rows as above
            page.add("text", f"All photos of known {kind}: {next(iter(bins))}.")
            continue
        page.add("head", f"By {kind}")
        page.add("table", _bin_table(kind, bins))
    for name in pictures:
        page.add("picture", name)
    page.add("head", "Worst photos")
    page.add("table", _worst_table(evaluation, summary.reference))
    missing = [result.name for result in results if summary.reference not in result.methods]
    if missing:
        page.add("text", f"Without a result of {summary.reference}: {', '.join(missing)}")
    page.add("head", "What the numbers are")
    about = [*MEASURES.values(), *(list(PART_MEASURES.values()) if summary.parts else ())]
    page.add("table", [["column", "meaning"], *([head, text] for head, _, text in about)])
    page.add("text", f"Settings: {json.dumps(settings, ensure_ascii=False)}")
    return page


def _head(*names: str, measures: Sequence[str] = tuple(MEASURES)) -> list[str]:
    return [*names, "found", *(MEASURES[name][0] for name in measures)]


def _method_rows(
    methods: dict[str, MethodSummary], measures: Sequence[str], *before: str
) -> list[list[str]]:
    rows = []
    for name, one in methods.items():
        cells = [
            one.means[measure].text(MEASURES[measure][1]) if one.means else "-"
            for measure in measures
        ]
        rows.append([*before, name, f"{one.found} of {one.views}", *cells])
    return rows


def _difference_table(summary: Summary) -> list[list[str]]:
    rows = [["method", "photos", *(MEASURES[name][0] for name in COMPARED)]]
    for name, found in summary.differences.items():
        if found:
            cells = [found[measure].text(MEASURES[measure][1] + 1) for measure in COMPARED]
            rows.append([name, str(found[COMPARED[0]].count), *cells])
    return rows


def _bin_table(kind: str, bins: dict[str, dict[str, MethodSummary]]) -> list[list[str]]:
    rows = [_head(kind, "method", measures=IN_BINS)]
    for one, methods in bins.items():
        rows += _method_rows(methods, IN_BINS, one)
    return rows


def _part_table(summary: Summary) -> list[list[str]]:
    rows = [["part", "method", "photos", *(head for head, _, _ in PART_MEASURES.values())]]
    for part, methods in summary.parts.items():
        for name, one in methods.items():
            cells = [one.means[key].text(about[1]) for key, about in PART_MEASURES.items()]
            rows.append([part, name, f"{one.found} of {one.views}", *cells])
    return rows


def _worst_table(evaluation: Evaluation, reference: str) -> list[list[str]]:
    found = [result for result in evaluation.results if reference in result.methods]
    found.sort(key=lambda result: -result.methods[reference]["mean"])
    return [
        ["photo", f"{reference}: mean mm", "normals deg"],
        *(
            [r.name, *(f"{r.methods[reference][name]:.2f}" for name in ("mean", "normal_deg"))]
            for r in found[:WORST]
        ),
    ]


def numbers_of(
    evaluation: Evaluation, summary: Summary, settings: dict[str, Any]
) -> dict[str, Any]:
    """What the JSON holds: settings, means with intervals, and every photo's numbers."""
    return {
        "settings": settings,
        "measures": {name: about[2] for name, about in MEASURES.items()},
        "part_measures": {name: about[2] for name, about in PART_MEASURES.items()},
        **asdict(summary),
        "views": {
            result.name: {
                "identity": result.identity,
                "bins": result.bins,
                "methods": {name: result.methods.get(name) for name in evaluation.methods},
                "parts": result.parts,
            }
            for result in evaluation.results
        },
    }


def write_report(
    folder: Path,
    evaluation: Evaluation,
    summary: Summary,
    settings: dict[str, Any],
    figures: dict[str, np.ndarray],
) -> list[Path]:
    """Write report.md, report.html, report.json and the figures, all or none; their paths."""
    page = page_of(evaluation, summary, settings, list(figures))
    numbers = json.dumps(numbers_of(evaluation, summary, settings), indent=1, allow_nan=False)
    texts = {"report.md": page.markdown(), "report.html": page.html(), "report.json": numbers}
    with staged_folder(folder) as staged:
        for name, text in texts.items():
            (staged / name).write_text(text, encoding="utf-8")
        for name, picture in figures.items():
            if not cv2.imwrite(str(staged / name), picture[..., ::-1]):
                raise OSError(f"{folder / name} cannot be written; is the disk full?")
    return [folder / name for name in (*texts, *figures)]
