"""A face to files. Every file is written whole or not at all.

| format | files | content |
|---|---|---|
| glb | STEM.glb | mesh [mm] with normals, the crop as texture inside |
| obj | STEM.obj, STEM.mtl, STEM_texture.png | mesh [mm], the crop as texture beside it |
| ply | STEM.ply | mesh [mm], binary, the crop's colors at the vertices |
| stl | STEM.stl | mesh [mm], binary, no color; an open surface |
| npy | STEM.npy | depth (512,512) float32 [px of the crop], 0 outside the mask |
| png16 | STEM_depth16.png | depth as 16 bit gray, 0 outside the mask, its scale as text inside |
"""

import io
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import trimesh
from PIL import Image
from PIL.PngImagePlugin import PngInfo

Files = dict[str, bytes]  # file name -> content

PNG16_STEPS = 65534  # between the farthest pixel of the mask, value 1, and the nearest, 65535


class FaceMaps(Protocol):
    """What is saved of a face; `result.Face` is one."""

    @property
    def depth(self) -> np.ndarray: ...  # (H,W) float32 [px], 0 outside the mask
    @property
    def mask(self) -> np.ndarray: ...  # (H,W) bool
    @property
    def crop(self) -> np.ndarray: ...  # (H,W,3) uint8
    @property
    def mm_per_px(self) -> float: ...
    def to_mesh(self) -> trimesh.Trimesh: ...


def save_face(face: FaceMaps, folder: Path, stem: str, formats: Sequence[str]) -> list[Path]:
    """Write `face` into `folder`, made if need be, in each of `formats` (names of `FORMATS`).

    The names of the files start with `stem`; a file of that name is replaced. Nothing is written
    if a format is unknown or cannot be made.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ValueError(f"unknown format {unknown[0]!r}; known: {', '.join(sorted(FORMATS))}")
    if not stem or Path(stem).name != stem:
        raise ValueError(f"`stem` is the start of a file name, without folders; got {stem!r}")
    files: Files = {}
    mesh_formats = [name for name in formats if name in MESH_FORMATS]
    if mesh_formats:
        mesh = face.to_mesh()
        for name in mesh_formats:
            files |= MESH_FORMATS[name](mesh, stem)
    for name in formats:
        if name in MAP_FORMATS:
            files |= MAP_FORMATS[name](face, stem)
    return write_files(files, folder)


def save_picture(pixels: np.ndarray, path: str | Path) -> Path:
    """Write `pixels` (H,W,3) or (H,W) uint8 as a PNG; its folder is made if need be."""
    if pixels.dtype != np.uint8:
        raise ValueError(f"a picture is an array of uint8, got {pixels.dtype}")
    path = Path(path)
    return write_files({path.name: _png(Image.fromarray(pixels))}, path.parent)[0]


def glb(mesh: trimesh.Trimesh, stem: str) -> Files:
    """Binary glTF; its y up and z forward are ours, so it opens upright and face forward."""
    return {f"{stem}.glb": _exported(mesh, "glb", include_normals=True)}


def obj(mesh: trimesh.Trimesh, stem: str) -> Files:
    """Wavefront text. The texture's name is not STEM.png: a photo STEM.png may lie there."""
    uv, crop = _texture(mesh)
    texture = f"{stem}_texture.png"
    lines = [f"mtllib {stem}.mtl", "usemtl face", "s 1"]
    lines += map("v {:.4f} {:.4f} {:.4f}".format, *mesh.vertices.T.tolist())
    lines += map("vt {:.6f} {:.6f}".format, *uv.T.tolist())
    lines += map("f {0}/{0} {1}/{1} {2}/{2}".format, *(mesh.faces.T + 1).tolist())
    material = f"newmtl face\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {texture}\n"
    return {
        f"{stem}.obj": ("\n".join(lines) + "\n").encode(),
        f"{stem}.mtl": material.encode(),
        texture: _png(crop),
    }


def ply(mesh: trimesh.Trimesh, stem: str) -> Files:
    """Stanford polygons, binary; each vertex has the color of its pixel."""
    uv, crop = _texture(mesh)
    columns = np.rint(uv[:, 0] * crop.width - 0.5).astype(int)
    rows = np.rint((1 - uv[:, 1]) * crop.height - 0.5).astype(int)
    colored = trimesh.Trimesh(
        mesh.vertices, mesh.faces, vertex_colors=np.asarray(crop)[rows, columns], process=False
    )
    return {f"{stem}.ply": _exported(colored, "ply")}


def stl(mesh: trimesh.Trimesh, stem: str) -> Files:
    """Stereolithography, binary, mm.

    It is the surface only, open at the back: a program for 3D printing must thicken it first.
    """
    return {f"{stem}.stl": _exported(mesh, "stl")}


def npy(face: FaceMaps, stem: str) -> Files:
    """The depth map as a numpy array."""
    buffer = io.BytesIO()
    np.save(buffer, np.where(face.mask, face.depth, 0).astype(np.float32), allow_pickle=False)
    return {f"{stem}.npy": buffer.getvalue()}


def png16(face: FaceMaps, stem: str) -> Files:
    """The depth map as a picture; the text in it tells how to turn values into depth again."""
    if not face.mask.any():
        raise ValueError("the mask is empty: there is no depth to save")
    inside = face.depth[face.mask].astype(np.float64)
    low, high = float(inside.min()), float(inside.max())
    values = np.zeros(face.depth.shape, dtype=np.uint16)
    values[face.mask] = 1 + np.rint((inside - low) / ((high - low) or 1.0) * PNG16_STEPS)
    text = PngInfo()
    text.add_text("depth_min_px", repr(low))
    text.add_text("depth_max_px", repr(high))
    text.add_text("mm_per_px", repr(float(face.mm_per_px)))
    text.add_text(
        "Description",
        "Height toward the camera. 0: no face; otherwise depth [px] = depth_min_px + "
        f"(value - 1) / {PNG16_STEPS} * (depth_max_px - depth_min_px).",
    )
    return {f"{stem}_depth16.png": _png(Image.fromarray(values), text)}


MESH_FORMATS: Mapping[str, Callable[[trimesh.Trimesh, str], Files]] = {
    "glb": glb,
    "obj": obj,
    "ply": ply,
    "stl": stl,
}
MAP_FORMATS: Mapping[str, Callable[[FaceMaps, str], Files]] = {"npy": npy, "png16": png16}
FORMATS: Mapping[str, Callable[..., Files]] = {**MESH_FORMATS, **MAP_FORMATS}


def write_files(files: Files, folder: Path) -> list[Path]:
    """Write all `files` beside their places first, then move each into its place at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with _removed_at_the_end(folder, len(files)) as parts:
        for part, content in zip(parts, files.values(), strict=True):
            part.write_bytes(content)
        paths = [folder / name for name in files]
        for part, path in zip(parts, paths, strict=True):
            os.replace(part, path)
    return paths


@contextmanager
def _removed_at_the_end(folder: Path, num_files: int) -> Iterator[list[Path]]:
    """Names of temporary files in `folder`; those that still exist at the end are deleted."""
    parts = [folder / f".{secrets.token_hex(8)}.part" for _ in range(num_files)]
    try:
        yield parts
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _texture(mesh: trimesh.Trimesh) -> tuple[np.ndarray, Image.Image]:
    """The texture coordinates (V,2) and the crop that `mesh.depth_to_mesh` gave the mesh."""
    visual: Any = mesh.visual
    return visual.uv, visual.material.baseColorTexture


def _exported(mesh: trimesh.Trimesh, file_type: str, **options: Any) -> bytes:
    content: Any = mesh.export(file_type=file_type, **options)
    return content


def _png(image: Image.Image, text: PngInfo | None = None) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=text)
    return buffer.getvalue()
