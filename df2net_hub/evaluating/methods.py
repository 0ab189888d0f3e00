"""What is judged: every stage of a pipeline, depth maps that others wrote, a plane, a mean face.

A method is a callable from a view to the maps that it gives there: name -> `DepthMap`, nothing
where it found no face.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from df2net_hub.evaluating.views import View
from df2net_hub.faces import Detector, whole_photo
from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.importing.depth_maps import DepthStatement, read_statement
from df2net_hub.modeling.cascade import SLOTS
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.pipelines.face_mask import face_mask
from df2net_hub.pipelines.upright import turned

PLANE = "plane"
STATEMENT = "unit.json"


@dataclass(frozen=True, eq=False)
class DepthMap:
    """Heights (H,W) [mm] on the pixels of a view, nearer = larger, and where they count.

    Attributes:
        depth_mm: NaN where `mask` is False at the most.
        mask: (H,W) bool, the pixels that are compared.
        covered: share of the view's mask that the method takes for face; None: that of `mask`.
    """

    depth_mm: np.ndarray
    mask: np.ndarray
    covered: float | None = None


Method = Callable[[View], dict[str, DepthMap]]


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages dense, fine and finer of a pipeline, and a plane over the same pixels.

    Attributes:
        pipe: the pipeline.
        detector: a name or a callable, for photos that are no crops.
    """

    pipe: DF2NetPipeline
    detector: str | Detector = "dlib"

    def __call__(self, view: View) -> dict[str, DepthMap]:
        return self._of_crop(view) if view.is_crop else self._of_photo(view)

    def _of_photo(self, view: View) -> dict[str, DepthMap]:
        faces = self.pipe(view.photo, self.detector).faces
        if not faces:
            return {}
        face = faces[0]
        # The crop's pixel (u, v) shows the photo's pixel box.x + (u + 0.5) side / 512 - 0.5: sample
        # the prediction where the truth's pixels lie.
        scale = CROP_SIZE / face.box.side
        height, width = view.mask.shape
        columns = ((np.arange(width) + 0.5 - face.box.x) * scale - 0.5).astype(np.float32)
        rows = ((np.arange(height) + 0.5 - face.box.y) * scale - 0.5).astype(np.float32)
        grid = np.meshgrid(columns, rows)
        mask = cv2.remap(face.mask.astype(np.float32), *grid, cv2.INTER_LINEAR) > 0.99
        depths = {
            name: cv2.remap(face.stages[name], *grid, cv2.INTER_LINEAR) / scale * view.mm_per_px
            for name in SLOTS
        }
        return _with_plane(depths, mask, None)

    @torch.inference_mode()
    def _of_crop(self, view: View) -> dict[str, DepthMap]:
        photo = cv2.resize(view.photo, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_CUBIC)
        look = self.pipe.look(photo, whole_photo(photo)[0])
        stages = self.pipe.cascade(look.photo, (look.dense, look.mask_logits))
        maps = {
            name: turned(maps[0, 0].cpu().numpy(), look.roll)
            for name, maps in stages._asdict().items()
            if maps is not None
        }
        # With the neck, which the masks of rendered pairs have.
        seen = face_mask(maps["dense"], maps.get("mask_logits"))
        if not seen.any():
            return {}
        size = view.mask.shape[0]
        to_mm = DEPTH_UNIT_PX * view.mm_per_px * size / CROP_SIZE
        depths = {}
        for name in SLOTS:
            depths[name] = (
                cv2.resize(maps[name], (size, size), interpolation=cv2.INTER_AREA) * to_mm
            )
        small = cv2.resize(seen.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST)
        return _with_plane(depths, view.mask, float(small[view.mask].mean()))


def _with_plane(
    depths: dict[str, np.ndarray], mask: np.ndarray, covered: float | None
) -> dict[str, DepthMap]:
    maps = {name: DepthMap(depth, mask, covered) for name, depth in depths.items()}
    return {PLANE: DepthMap(np.zeros(mask.shape, np.float32), mask, covered), **maps}


def plane(view: View) -> dict[str, DepthMap]:
    """A flat face over the whole mask, for evaluations without a pipeline."""
    return {PLANE: DepthMap(np.zeros(view.mask.shape, np.float32), view.mask)}


@dataclass(frozen=True)
class Maps:
    """Depth maps that another method wrote: NAME.npy or NAME.png of 16 bits for the view NAME.

    Attributes:
        name: of the method.
        folder: where the maps lie, each as large as its view's photo.
        statement: their unit and sign; docs/import.md has the form.
    """

    name: str
    folder: Path
    statement: DepthStatement

    @classmethod
    def open(cls, name: str, folder: Path, view_names: list[str]) -> "Maps":
        """The maps of a folder, whose `unit.json` states what their values mean.

        Raises:
            FileNotFoundError: no folder, no statement, or no map of any of the views.
        """
        if not folder.is_dir():
            raise FileNotFoundError(f"no folder {folder} with the depth maps of {name}")
        if not (folder / STATEMENT).is_file():
            raise FileNotFoundError(
                f"{folder / STATEMENT} is missing: it states what the depth maps mean, such as "
                '{"unit": "px", "step": 1.0, "nearer": "larger"} (docs/import.md)'
            )
        maps = cls(name, folder, read_statement(str(folder / STATEMENT)))
        if not any(maps.path(view) for view in view_names):
            raise FileNotFoundError(
                f"{folder} holds a map of none of the {len(view_names)} views: they are matched by "
                f"name, such as {view_names[0]}.npy or {view_names[0]}.png"
            )
        return maps

    def path(self, view_name: str) -> Path | None:
        """The file of a view's map."""
        for suffix in (".npy", ".png"):
            path = self.folder / f"{view_name}{suffix}"
            if path.is_file():
                return path
        return None

    def __call__(self, view: View) -> dict[str, DepthMap]:
        path = self.path(view.name)
        if path is None:
            return {}
        values = read_map(path)
        if values.shape != view.mask.shape:
            raise ValueError(
                f"{path} is {values.shape}, the photo of view {view.name} {view.mask.shape}; write "
                "the map on the photo's pixels"
            )
        whole = np.issubdtype(values.dtype, np.integer)
        known = values != 0 if whole else np.isfinite(values)
        if not known.any():
            raise ValueError(f"{path} holds no depth: every value is {0 if whole else 'NaN'}")
        depth = np.full(values.shape, np.nan, np.float32)
        # A pixel of depth is as long as one of width: so the truth's scale is the map's own.
        depth[known] = self.statement.height_px(values[known])[0] * view.mm_per_px
        return {self.name: DepthMap(depth, known)}


def read_map(path: Path) -> np.ndarray:
    """(H,W) numbers of an .npy or of a PNG of 16 bits.

    Raises:
        ValueError: damaged, several channels, 8 bits, no numbers.
    """
    try:
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if values is None:
        raise ValueError(f"{path} is damaged or no PNG")
    if values.ndim != 2 or values.dtype.kind not in "iuf" or values.dtype.itemsize < 2:
        raise ValueError(
            f"{path} must be one channel of 16-bit or floating-point numbers, got {values.shape} "
            f"{values.dtype}"
        )
    return values
