"""Tables that users make: landmark -> vertex of one head, and vertex -> vertex between two."""

import csv
from pathlib import Path

import numpy as np


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
    rows = []
    for row in table[1:]:
        if len(row) != 2 or not all(value.strip().isdigit() for value in row):
            raise ValueError(f"{path}: row {','.join(row)!r} is not two whole numbers")
        pair = int(row[0]), int(row[1])
        for name, value, bound in zip(header, pair, bounds, strict=True):
            if value >= bound:
                raise ValueError(f"{path}: {name} {value} is outside 0 to {bound - 1}")
        rows.append(pair)
    return rows
