"""Where the ingredients of rendered pairs lie below one folder.

`df2net assets` writes the first name of each pair; the second is what version 0.1 documented.
"""

from pathlib import Path

HEAD = ("head.npz", "ict_facekit/ict_face_model.npz")
SKINS = ("skins", "skins_ict_uv")
LIGHT = ("light", "light_probes")
PICTURES = (".jpg", ".jpeg", ".png")


def head_path(folder: str | Path) -> Path:
    """The morphable head of `folder`, whether it exists or not."""
    return _first_there(Path(folder), HEAD)


def skin_paths(folder: str | Path) -> list[Path]:
    """Skin textures of `folder`, sorted by name; none is allowed where the head has colors."""
    return _pictures(_first_there(Path(folder), SKINS))


def environments_path(folder: str | Path) -> Path:
    """The `environments.npz` of `folder`, whether it exists or not."""
    return _first_there(Path(folder), LIGHT) / "environments.npz"


def background_paths(folder: str | Path) -> list[Path]:
    """Pictures to stand behind the head, sorted by name."""
    return _pictures(_first_there(Path(folder), LIGHT) / "backgrounds")


def _first_there(folder: Path, names: tuple[str, ...]) -> Path:
    there = [folder / name for name in names if (folder / name).exists()]
    return there[0] if there else folder / names[0]


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
