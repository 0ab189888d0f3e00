"""Tables that users make: landmark -> vertex of one head, vertex -> vertex between two, points."""

import csv
from pathlib import Path

import numpy as np

from df2net_hub.synthesis.morphable import read_npz


def read_landmarks(path: str | Path, num_vertices: int) -> dict[int, int]:
    """Landmark number (0 to 67, Multi-PIE) -> vertex, from a CSV with header `landmark,vertex`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another header, no integers, a number outside, a landmark twice.
    """
    rows = _rows(Path(path), ("landmark", "vertex"), (68, num_vertices))
    numbers = [number for number, _ in rows]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise ValueError(f"{path}: landmark {twice[0]} stands twice")
    return dict(rows)


def read_matches(path: str | Path, num_source: int, num_target: int) -> np.ndarray:
    """(M,2) int vertex of the source and vertex of the target, header `source,target`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another header, no integers, a vertex outside, fewer than 8 pairs.
    """
    rows = _rows(Path(path), ("source", "target"), (num_source, num_target))
    if len(rows) < 8:
        raise ValueError(f"{path} has {len(rows)} pairs; a warp over a face needs 8 or more")
    return np.array(rows)


def _rows(path: Path, header: tuple[str, str], bounds: tuple[int, int]) -> list[tuple[int, int]]:
    rows = []
    for row in _table(path, header):
        if len(row) != 2 or not all(value.strip().isdigit() for value in row):
            raise ValueError(f"{path}: row {','.join(row)!r} is not two whole numbers")
        pair = int(row[0]), int(row[1])
        for name, value, bound in zip(header, pair, bounds, strict=True):
            if value >= bound:
                raise ValueError(f"{path}: {name} {value} is outside 0 to {bound - 1}")
        rows.append(pair)
    return rows


def _table(path: Path, header: tuple[str, ...]) -> list[list[str]]:
    """Rows of a CSV below its header; lines that start with # are left out."""
    if not path.is_file():
        raise FileNotFoundError(f"no table at {path}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no CSV file: it is not text") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    table = list(csv.reader(lines))
    if not table or tuple(name.strip() for name in table[0]) != header:
        got = ",".join(table[0]) if table else "nothing"
        raise ValueError(f"{path} starts with {got!r}, expected the header {','.join(header)!r}")
    return table[1:]


def read_points_on_head(path: str | Path, num_vertices: int) -> np.ndarray:
    """(P,5) of points 0 to P-1 in order: vertices a, b, c of a head, and shares of a and b.

    A point lies at share_a a + share_b b + (1 - share_a - share_b) c. The header is
    `point,a,b,c,share_a,share_b`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another header, no numbers, a vertex outside, shares outside [0,1], points that
            are not 0, 1, 2 and so on.
    """
    path = Path(path)
    table = _table(path, ("point", "a", "b", "c", "share_a", "share_b"))
    try:
        rows = np.array([[float(value) for value in row] for row in table], np.float64)
    except ValueError as error:
        raise ValueError(f"{path}: a row holds no numbers ({error})") from error
    if rows.ndim != 2 or rows.shape[1] != 6 or (rows[:, 0] != np.arange(len(rows))).any():
        raise ValueError(f"{path}: expected rows of six numbers for points 0, 1, 2 and so on")
    corners, shares = rows[:, 1:4], rows[:, 4:]
    if (corners != np.floor(corners)).any() or corners.min() < 0 or corners.max() >= num_vertices:
        raise ValueError(f"{path}: a vertex is outside 0 to {num_vertices - 1}")
    if shares.min() < 0 or shares.sum(1).max() > 1.01:
        raise ValueError(f"{path}: shares must be 0 to 1 and no more than 1 together")
    return rows[:, 1:]


def read_photo_points(path: str | Path, num_points: int) -> dict[str, np.ndarray]:
    """Photo's file name -> its points (num_points,2) float64 [px], pixel centers at integers.

    From an `.npz` with an array (num_points or more, 2 or more) of each photo, as
    `scripts/face_points.py` writes it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, or an array has another shape or is not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no points at {path}; scripts/face_points.py writes them")
    points = {}
    for name, array in read_npz(path).items():
        if array.ndim != 2 or len(array) < num_points or array.shape[1] < 2:
            raise ValueError(
                f"{path}: points of {name!r} are {array.shape}, expected ({num_points}, 2) or more"
            )
        points[name] = array[:num_points, :2].astype(np.float64)
        if not np.isfinite(points[name]).all():
            raise ValueError(f"{path}: points of {name!r} are not finite numbers")
    return points
