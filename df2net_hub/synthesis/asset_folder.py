"""Where the ingredients of rendered pairs lie below one folder.

`df2net assets` writes the first name of each pair; the second is what version 0.1 documented.
"""

from pathlib import Path

HEAD = ("head.npz", "ict_facekit/ict_face_model.npz")
SKINS = ("skins", "skins_ict_uv")
LIGHT = ("light", "light_probes")
SCULPTED = "sculpted.npz"  # may be missing
PHOTO_SKINS = "photo_skins"  # may be missing
CREASES = "creases"  # below PHOTO_SKINS; may be missing
PICTURES = (".jpg", ".jpeg", ".png")
LICENSES = "LICENSES.txt"  # lines `INGREDIENT: SOURCE; LICENSE`
NOT_STATED = "not stated"
LICENSED = {
    "head": HEAD,
    "skins": SKINS,
    "light": LIGHT,
    "sculpted": (SCULPTED,),
    "photo_skins": (PHOTO_SKINS,),
}  # what has lines there
PLACES = {Path(name).parts[0] for names in LICENSED.values() for name in names}  # in the folder


def head_path(folder: str | Path) -> Path:
    """The morphable head of `folder`, whether it exists or not."""
    return _first_there(Path(folder), HEAD)


def sculpted_path(folder: str | Path) -> Path:
    """The sculpted heads of `folder`, whether they exist or not."""
    return Path(folder) / SCULPTED


def skin_paths(folder: str | Path) -> list[Path]:
    """Skin textures of `folder`, sorted by name; none is allowed where the head has colors."""
    return _pictures(_first_there(Path(folder), SKINS))


def photo_skin_paths(folder: str | Path) -> list[Path]:
    """Skins taken from photographs, sorted by name; none is needed."""
    return _pictures(Path(folder) / PHOTO_SKINS)


def creases_path(skin: Path) -> Path:
    """The map of the creases of a skin taken from a photograph; it may be missing."""
    return skin.parent / CREASES / f"{skin.stem}.png"


def environments_path(folder: str | Path) -> Path:
    """The `environments.npz` of `folder`, whether it exists or not."""
    return _first_there(Path(folder), LIGHT) / "environments.npz"


def background_paths(folder: str | Path) -> list[Path]:
    """Pictures to stand behind the head, sorted by name."""
    return _pictures(_first_there(Path(folder), LIGHT) / "backgrounds")


def license_entries(folder: str | Path) -> list[str]:
    """The lines of LICENSES.txt as they are; none where there is no such file.

    Raises:
        ValueError: the file is not text.
    """
    path = Path(folder) / LICENSES
    if not path.is_file():
        return []
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error}); write it anew") from error


def license_lines(folder: str | Path) -> list[str]:
    """What LICENSES.txt states, for the card of a set; none where it is missing or empty.

    What lies in the folder and has no line is "not stated". Lines that start with # are left out.

    Raises:
        ValueError: the file is not text.
    """
    folder = Path(folder)
    entries = [line.strip() for line in license_entries(folder)]
    entries = [line for line in entries if line and not line.startswith("#")]
    if not entries:
        return []
    silent = [
        f"{ingredient}: {NOT_STATED}"
        for ingredient, names in LICENSED.items()
        if _first_there(folder, names).exists()
        and not any(line.startswith(f"{ingredient}:") for line in entries)
    ]
    return entries + silent


def _first_there(folder: Path, names: tuple[str, ...]) -> Path:
    there = [folder / name for name in names if (folder / name).exists()]
    return there[0] if there else folder / names[0]


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
