"""Which photo belongs to which file: the layouts of folders that `df2net import-pairs` reads."""

from dataclasses import dataclass
from pathlib import Path

from df2net_hub.importing.depth_maps import DEPTH_SUFFIXES
from df2net_hub.importing.mesh_files import MESH_SUFFIXES

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
# What the peers write beside the photos they were given; none of it is a photo.
NOT_PHOTOS = ("_depth", "_mask", "_texture", "_detect", "_bump", "_normals", "_albedo")


@dataclass(frozen=True)
class Layout:
    """How one method names its files.

    Attributes:
        geometry: endings put after the photo's name, in order of preference.
        photos, meshes: folders inside SOURCE.
        shown: said when nothing fits.
    """

    geometry: tuple[str, ...]
    shown: str
    photos: str = ""
    meshes: str = ""


LAYOUTS = {
    "prnet": Layout((".obj", ".npy"), "NAME.jpg with NAME.obj (vertex colors) or NAME.npy"),
    "extreme3d": Layout(
        ("_withBump_aligned.ply",),
        "imgs/NAME.png with 3D/NAME_withBump_aligned.ply",
        photos="imgs",
        meshes="3D",
    ),
    "3ddfa": Layout(
        ("_obj.obj", ".obj", "_ply.ply", ".ply"), "NAME.jpg with NAME_obj.obj or NAME_ply.ply"
    ),
    "mesh": Layout(
        MESH_SUFFIXES, "NAME.jpg with NAME.obj, .ply, .glb ..., and NAME.json (its camera)"
    ),
    "depth": Layout(
        tuple(f"_depth{suffix}" for suffix in DEPTH_SUFFIXES) + DEPTH_SUFFIXES,
        "NAME.jpg with NAME_depth.png, .npy, .npz or .exr, and NAME_mask.png",
    ),
}


@dataclass(frozen=True)
class Input:
    """A photo and what was reconstructed from it; paths, empty where there is no such file."""

    name: str
    photo: str
    geometry: str
    mask: str
    camera: str


def find_inputs(layout: str, source: Path, photos: Path | None = None) -> tuple[Input, ...]:
    """Every photo of `photos` (default: of SOURCE) with its geometry of `source`, by name.

    Raises:
        FileNotFoundError: no such folder, or not one photo with geometry.
        LookupError: no such layout.
    """
    if layout not in LAYOUTS:
        raise LookupError(f"no layout named {layout!r}; known: {', '.join(LAYOUTS)}")
    names = LAYOUTS[layout]
    photo_folder = photos if photos is not None else source / names.photos
    mesh_folder = source / names.meshes
    for folder in (photo_folder, mesh_folder):
        if not folder.is_dir():
            raise FileNotFoundError(f"no folder {folder}; looked for {names.shown} in {source}")
    found = []
    for path in sorted(photo_folder.iterdir()):
        is_photo = path.suffix.lower() in PHOTO_SUFFIXES and not path.stem.endswith(NOT_PHOTOS)
        if is_photo:
            found.append(_input(path, mesh_folder, names))
    if not any(one.geometry for one in found):
        raise FileNotFoundError(
            f"not one of {len(found)} photos in {photo_folder} has its geometry in {mesh_folder}; "
            f"looked for {names.shown}"
        )
    return tuple(found)


def _input(photo: Path, meshes: Path, names: Layout) -> Input:
    def first(*endings: str) -> str:
        paths = (meshes / f"{photo.stem}{ending}" for ending in endings)
        return next((str(path) for path in paths if path.is_file() and path != photo), "")

    return Input(photo.stem, str(photo), first(*names.geometry), first("_mask.png"), first(".json"))
