"""Say what lies in a folder of ingredients, what is missing, and whether each of it loads."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from df2net_hub.synthesis.asset_folder import (
    LICENSES,
    background_paths,
    creases_path,
    environments_path,
    head_path,
    license_lines,
    photo_skin_paths,
    sculpted_path,
    skin_paths,
)
from df2net_hub.synthesis.morphable import MorphableModel, load_morphable, read_npz
from df2net_hub.synthesis.sculpted import load_sculpted

WHERE = "docs/assets.md says where to get it"


@dataclass(frozen=True)
class Finding:
    """One line of the report: what, whether rendering can go on, and what was seen."""

    what: str
    good: bool
    seen: str


def check_folder(folder: str | Path) -> list[Finding]:
    """Load every ingredient of `folder` once; nothing is rendered.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder at {folder}; `df2net assets head` makes it")
    try:
        model = load_morphable(head_path(folder))
        head = Finding("head", True, _describe(model))
    except (ValueError, OSError) as error:
        model, head = None, Finding("head", False, f"{error}")
    colored = model is not None and model.colors is not None
    found = [head, _sculpted(folder, model), _skins(folder, colored), _photo_skins(folder)]
    return [*found, check_light(folder), _backgrounds(folder), _licenses(folder)]


def _describe(model: MorphableModel) -> str:
    eyes = "with eyeballs" if "eyeball_left" in model.parts else "without eyeballs"
    colors = "no colors of its own"
    if model.colors is not None:
        modes = 0 if model.color_modes is None else len(model.color_modes)
        colors = f"colors with {modes} modes"
    return (
        f"{len(model.vertices)} vertices, {len(model.triangles)} triangles, "
        f"{len(model.identity)} identity and {len(model.expression)} expression shapes, {eyes}, "
        f"{colors}"
    )


def _sculpted(folder: Path, model: MorphableModel | None) -> Finding:
    """Rendering goes on without them."""
    path = sculpted_path(folder)
    if not path.is_file():
        return Finding("sculpted", True, "none; people of the morphable model alone")
    if model is None:
        return Finding("sculpted", False, f"{path} cannot be checked without the head")
    try:
        heads = load_sculpted(path, model)
    except (ValueError, OSError) as error:
        return Finding("sculpted", False, f"{error}")
    return Finding(
        "sculpted", True, f"{len(heads.names)} targets on {len(heads.vertices)} vertices"
    )


def _skins(folder: Path, colored: bool) -> Finding:
    paths = skin_paths(folder)
    if not paths:
        if colored:
            return Finding("skins", True, "none; the head's own colors are used")
        return Finding("skins", False, f"none, and the head has no colors; {WHERE}")
    return _textures("skins", paths)


def _photo_skins(folder: Path) -> Finding:
    """Rendering goes on without them."""
    paths = photo_skin_paths(folder)
    if not paths:
        return Finding("photo_skins", True, "none; painted skins alone")
    for path in map(creases_path, paths):
        if path.is_file() and cv2.imread(str(path)) is None:
            return Finding("photo_skins", False, f"{path} is not a picture that can be read")
    found = _textures("photo_skins", paths)
    creased = sum(creases_path(path).is_file() for path in paths)
    return replace(found, seen=f"{found.seen}, {creased} with creases") if found.good else found


def _textures(what: str, paths: list[Path]) -> Finding:
    for path in paths:
        picture = cv2.imread(str(path))
        if picture is None:
            return Finding(what, False, f"{path} is not a picture that can be read")
        if picture.shape[1] != 2 * picture.shape[0]:
            size = f"{picture.shape[1]} x {picture.shape[0]}"
            return Finding(what, False, f"{path} is {size} px, expected twice as wide as high")
    return Finding(what, True, f"{len(paths)} textures")


def check_light(folder: Path) -> Finding:
    """Whether the environments of `folder` are whole."""
    path = environments_path(folder)
    if not path.is_file():
        return Finding("light", False, f"no {path}; {WHERE}")
    try:
        arrays = read_npz(path)
    except ValueError as error:
        return Finding("light", False, str(error))
    radiance = arrays.get("radiance")
    if radiance is None or radiance.ndim != 4 or radiance.shape[2:] != (2 * radiance.shape[1], 3):
        got = "nothing" if radiance is None else radiance.shape
        return Finding("light", False, f"{path}: array 'radiance' is {got}, expected (N, h, 2h, 3)")
    if radiance.dtype.kind != "f" or not len(radiance) or not np.isfinite(radiance).all():
        return Finding("light", False, f"{path}: array 'radiance' is empty or not finite numbers")
    if radiance.min() < 0:
        return Finding("light", False, f"{path}: array 'radiance' holds negative light")
    return Finding("light", True, f"{len(radiance)} environments of {radiance.shape[1]} rows")


def _backgrounds(folder: Path) -> Finding:
    paths = background_paths(folder)
    bad = [path for path in paths if cv2.imread(str(path)) is None]
    if bad:
        return Finding("backgrounds", False, f"{bad[0]} is not a picture that can be read")
    if not paths:
        return Finding("backgrounds", False, f"none; {WHERE}")
    return Finding("backgrounds", True, f"{len(paths)} pictures")


def _licenses(folder: Path) -> Finding:
    """Rendering goes on without them, the card of the set will say so."""
    try:
        lines = license_lines(folder)
    except ValueError as error:
        return Finding("licenses", False, str(error))
    return Finding(
        "licenses", True, " | ".join(lines) or f"none stated: no {LICENSES} (docs/assets.md)"
    )
