"""Read MakeHuman's base mesh and targets, and make sculpted heads of them (CC0 data).

`SOURCE` is a checkout of MakeHuman or of MPFB, or its folder `data`, which holds
`3dobjs/base.obj` and `targets/`, with targets as text or compressed by gzip.
"""

import gzip
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from df2net_hub.assets.corners import with_corners_of
from df2net_hub.assets.obj_files import ObjMesh
from df2net_hub.assets.register import register
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.sculpted import MACRO, SculptedHeads

PLACES = ("", "data", "makehuman/data", "src/mpfb/data")
FOLDERS = (
    "head", "forehead", "eyebrows", "eyes", "nose", "cheek", "mouth", "chin", "ears", "asym",
)  # fmt: skip
# The body's, and what moves the whole head or parts of it sideways.
LEFT_OUT = re.compile(r"asymm-|head-trans|.*-trans-(in|out)$")
ENDINGS = (".target", ".target.gz")


def makehuman_data(source: str | Path) -> Path:
    """The folder below `source` that holds `3dobjs/base.obj` and `targets`.

    Raises:
        FileNotFoundError: there is none.
    """
    for place in PLACES:
        folder = Path(source) / place
        if (folder / "3dobjs" / "base.obj").is_file() and (folder / "targets").is_dir():
            return folder
    raise FileNotFoundError(
        f"no 3dobjs/base.obj and targets/ in {source}, nor in its {', '.join(PLACES[1:])}; give a "
        "checkout of MakeHuman or MPFB, or its folder `data`; see docs/assets.md"
    )


def target_paths(data: Path) -> dict[str, Path]:
    """Name -> file of every target that changes a grown-up's head.

    Raises:
        ValueError: none of origin, gender and age is there.
    """
    folders = [data / "targets" / name for name in FOLDERS]
    found = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    chosen = {
        _name(path): path
        for path in sorted(found)
        if path.name.endswith(ENDINGS) and not LEFT_OUT.match(path.name.split(".")[0])
    }
    macro = data / "targets" / "macrodetails"
    for path in sorted(macro.iterdir()) if macro.is_dir() else ():
        if path.name.endswith(ENDINGS) and MACRO.match(path.name):
            chosen[_name(path)] = path
    if not any(MACRO.match(name) for name in chosen):
        raise ValueError(f"{macro} holds no target such as asian-male-old.target; is it whole?")
    return chosen


def _name(path: Path) -> str:
    return path.name.split(".")[0]


def read_target(path: str | Path, count: int) -> np.ndarray:
    """(count,3) float64 offsets of all vertices, from lines `vertex dx dy dz`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no text, a line is no four numbers, or a vertex is outside.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no target at {path}")
    try:
        stored = path.read_bytes()
        text = (gzip.decompress(stored) if path.suffix == ".gz" else stored).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}); is it cut short?") from error
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    offsets = np.zeros((count, 3))
    if not lines:
        return offsets
    try:
        numbers = np.array(lines, np.float64)
        vertices = numbers[:, 0].astype(int)
        if numbers.shape[1] != 4 or not np.isfinite(numbers).all():
            raise ValueError("another number of columns, NaN or infinity")
    except ValueError as error:
        raise ValueError(f"{path}: expected lines `vertex dx dy dz` ({error})") from error
    if vertices.min() < 0 or vertices.max() >= count:
        raise ValueError(
            f"{path}: vertices {vertices.min()} to {vertices.max()}, the mesh has {count}"
        )
    offsets[vertices] = numbers[:, 1:]
    return offsets


def convert_makehuman(
    data: Path,
    base: ObjMesh,
    model: MorphableModel,
    matches: np.ndarray,
    on_target: Callable[[], object] = lambda: None,
) -> SculptedHeads:
    """Sculpted heads on the vertices of `model`, with corners of eyes and mouth as far back.

    Args:
        data: from `makehuman_data`.
        base: its mesh, the body alone.
        model: whose vertices they get.
        matches: (M,2), pairs of base and model vertex.
        on_target: called after each target.

    Raises:
        ValueError: a file that cannot be read, no targets, or matches that do not fit.
    """
    paths = target_paths(data)
    onto = register(model, base, matches)
    targets = []
    for path in paths.values():
        targets.append(onto.carry(read_target(path, len(base.vertices))).astype(np.float16))
        on_target()
    heads = SculptedHeads(onto.vertices, np.stack(targets), tuple(paths))
    return with_corners_of(heads, model)
