"""The pipeline: a photograph in, every face of it out as depth, mask, normals and mesh."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from huggingface_hub import ModelCard, ModelHubMixin, snapshot_download
from PIL import Image
from torch import Tensor

from df2net_hub.faces import Detector, FaceBox, crop_face, get_detector, inside_photo
from df2net_hub.geometry import (
    CROP_SIZE,
    depth_to_normals,
    mm_per_px_from_face,
    network_depth_to_px,
)
from df2net_hub.model_card import CardPart, TrainingRecord, pipeline_card
from df2net_hub.modeling.base import staged_folder
from df2net_hub.modeling.cascade import SLOTS, DF2Net, Stages
from df2net_hub.photos import load_photo
from df2net_hub.pipelines.face_mask import (
    MOST_DOUBT,
    box_around_mask,
    face_mask,
    is_well_placed,
    largest_component,
    mask_doubt,
    search_boxes,
)
from df2net_hub.pipelines.neck import without_neck
from df2net_hub.pipelines.upright import Look, looked_at, turned, turned_mask, upright_look
from df2net_hub.registry import name_of
from df2net_hub.result import Face, Reconstruction

Photo = str | Path | Image.Image | np.ndarray  # an array is uint8 (H,W,3) RGB

BUNDLED_WEIGHTS = Path(str(files("df2net_hub"))) / "weights" / "df2net-small"
DOWNLOADED = ["model_index.json", "training.json", "*/config.json", "*/model.safetensors"]


class DF2NetPipeline(ModelHubMixin):
    """Finds the faces of a photograph and reconstructs each with a DF2Net cascade.

    A pipeline is saved as one folder: `model_index.json`, one subfolder per stage, a model card.
    """

    def __init__(self, cascade: DF2Net) -> None:
        self.cascade = cascade.eval()
        self.training = TrainingRecord()

    @classmethod
    def from_pretrained(  # type: ignore[override]  # the source may be left out
        cls, source: str | Path | None = None, **download: Any
    ) -> "DF2NetPipeline":
        """Load the bundled weights (None), a folder, or "owner/name" from the Hugging Face Hub.

        `download` goes to `huggingface_hub.snapshot_download`: `revision`, `cache_dir`, `token`,
        `local_files_only`.
        """
        folder = _bundled_folder() if source is None else Path(source)
        if not folder.is_dir():
            folder = _download(str(source), **download)
        pipe = cls(DF2Net.from_folder(folder))
        pipe.training = TrainingRecord.read(folder)
        return pipe

    def save_pretrained(  # type: ignore[override]  # no options that would be dropped in silence
        self,
        save_directory: str | Path,
        *,
        dtype: torch.dtype | None = None,
        config: None = None,
        model_card_kwargs: None = None,
    ) -> None:
        """Write the folder: networks, training record and model card, whole or not at all.

        `dtype` torch.float16 halves the weights on disk; they are loaded as float32 again.
        `config` and `model_card_kwargs` are the mixin's and must stay None.
        """
        if config is not None or model_card_kwargs is not None:
            raise ValueError("a pipeline is saved with its own config and card; leave them out")
        with staged_folder(Path(save_directory)) as staged:
            self.cascade.to_folder(staged, dtype)
            self.training.write(staged)
            self.generate_model_card().save(staged / "README.md")

    def generate_model_card(self) -> ModelCard:
        """The card that `save_pretrained` and `push_to_hub` write beside the weights."""
        stages = {slot: getattr(self.cascade, slot) for slot in SLOTS}
        parts = [
            CardPart(slot, name_of(stage), sum(p.numel() for p in stage.parameters()))
            for slot, stage in stages.items()
        ]
        return pipeline_card(parts, self.training)

    @property
    def device(self) -> torch.device:
        return next(self.cascade.parameters()).device

    def to(self, device: str | torch.device) -> "DF2NetPipeline":
        """Move the networks to `device`; photographs follow them by themselves."""
        self.cascade.to(device)
        return self

    @overload
    def __call__(
        self, photo: Photo, detector: str | Detector = ..., box: FaceBox | None = ...
    ) -> Reconstruction: ...

    @overload
    def __call__(
        self, photo: list[Photo], detector: str | Detector = ..., box: FaceBox | None = ...
    ) -> list[Reconstruction]: ...

    @torch.inference_mode()
    def __call__(
        self,
        photo: Photo | list[Photo],
        detector: str | Detector = "dlib",
        box: FaceBox | None = None,
    ) -> Reconstruction | list[Reconstruction]:
        """Reconstruct every face of a photograph, largest first; of a list, photo by photo.

        `detector` is a name (`dlib`, `none` for a photo that is already a crop, or a plugin's) or
        a callable from an RGB array to boxes. `box` says where the one face is. Where the detector
        finds nothing, the mask of the dense network on the whole photo decides. A photo without a
        face gives a result without faces.
        """
        if isinstance(photo, list):
            return [self(one, detector, box) for one in photo]
        pixels = load_photo(photo)  # (H,W,3) uint8
        photo_size = (pixels.shape[1], pixels.shape[0])

        # 1. find the faces
        boxes = [box] if box else self.find_faces(pixels, detector)

        faces = []
        for face_box in boxes:
            # 2. crop the face, upright
            look = self.look(pixels, face_box)

            # 3. dense, fine, finer
            stages = self.cascade(look.photo, (look.dense, look.mask_logits))  # each (1,1,512,512)

            # 4. turned back: mask, depth in pixels, normals, scale
            crop = crop_face(pixels, face_box, CROP_SIZE)  # (512,512,3) uint8
            face = self.to_face(stages, crop, face_box, photo_size, look.roll)
            if face.mask.any():  # else the detector took something for a face that D-Net does not
                faces.append(face)
        path = Path(photo) if isinstance(photo, (str, Path)) else None
        return Reconstruction(path, photo_size, tuple(faces))

    def find_faces(self, pixels: np.ndarray, detector: str | Detector = "dlib") -> list[FaceBox]:
        """The boxes of the faces in `pixels` (H,W,3) uint8 RGB, largest first."""
        detect = get_detector(detector) if isinstance(detector, str) else detector
        return detect(pixels) or self.find_face_by_mask(pixels)

    def find_face_by_mask(self, pixels: np.ndarray) -> list[FaceBox]:
        """The crop around the mask of which the dense network is surest; none if unsure.

        Crops of three sizes are tried all over the photo. A network without a mask head cannot
        say how sure it is and finds nothing.
        """
        looks = []
        for box in search_boxes(pixels.shape[1], pixels.shape[0]):
            _, logits = self.cascade.see(self.to_tensor(crop_face(pixels, box, CROP_SIZE)))
            if logits is None:
                return []
            seen = logits[0, 0].cpu().numpy()
            mask = face_mask(seen, seen)
            if mask.any() and is_well_placed(mask):
                x, y, side = (value * box.side / CROP_SIZE for value in box_around_mask(mask))
                around = FaceBox(box.x + x, box.y + y, side, 0.0, "mask")
                looks.append((mask_doubt(seen), around))
        doubt, best = min(looks, key=lambda look: look[0], default=(1.0, None))
        return [best] if best is not None and doubt < MOST_DOUBT else []

    def look(self, pixels: np.ndarray, box: FaceBox) -> Look:
        """What the dense network says of the face in `box`, turned so that it stands upright.

        A network without a mask head cannot say which way up that is; `box.roll` decides.
        """

        def look_at(roll: float) -> Look:
            photo = self.to_tensor(crop_face(pixels, box, CROP_SIZE, roll))
            return looked_at(roll, photo, *self.cascade.see(photo))

        return upright_look(look_at, box.roll)

    def to_tensor(self, crop: np.ndarray) -> Tensor:
        """A uint8 crop (512,512,3) as the networks' photo (1,3,512,512) in [-1,1]."""
        photo = torch.from_numpy(crop).to(self.device).permute(2, 0, 1)[None]
        return photo.float() / 127.5 - 1

    def to_face(
        self,
        stages: Stages,
        crop: np.ndarray,
        box: FaceBox,
        photo_size: tuple[int, int],
        roll: float = 0.0,
    ) -> Face:
        """What the networks say of one crop (512,512,3), in pixels and arrays; see `Face`.

        A photo of `photo_size` (width, height) [px] can end in the middle of a face: so does the
        mask. What the networks make of the repeated edge beyond counts for the face's size alone.
        `stages` may be those of the crop turned back by `roll` [deg], see `crop_face`.
        """
        maps = {
            name: np.ascontiguousarray(maps[0, 0].cpu().numpy())  # (512,512)
            for name, maps in stages._asdict().items()
            if maps is not None
        }
        seen = face_mask(maps["dense"], maps.get("mask_logits"))  # as in training, with the neck
        in_px = {slot: network_depth_to_px(maps[slot]) for slot in SLOTS}
        shown = inside_photo(box, photo_size, CROP_SIZE, roll)
        upright = without_neck(largest_component(seen & shown), in_px["dense"])
        mask = turned_mask(upright, roll)
        whole = {slot: turned(depth, roll) for slot, depth in in_px.items()}
        depths = {slot: np.where(mask, depth, np.float32(0)) for slot, depth in whole.items()}
        normals = depth_to_normals(torch.from_numpy(whole["finer"])[None, None])[0]  # (3,512,512)
        return Face(
            depth=depths["finer"],
            mask=mask,
            normals=normals.permute(1, 2, 0).numpy(),
            box=box,
            mm_per_px=mm_per_px_from_face(in_px["finer"], seen),
            stages=depths,
            crop=crop,
        )


def _bundled_folder() -> Path:
    if not BUNDLED_WEIGHTS.is_dir():
        raise FileNotFoundError(
            f"this installation carries no weights ({BUNDLED_WEIGHTS} is missing); name a pipeline "
            'folder or a model of the Hugging Face Hub: from_pretrained("owner/name")'
        )
    return BUNDLED_WEIGHTS


def _download(source: str, **download: Any) -> Path:
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        raise FileNotFoundError(
            f"no folder {source!r}, and it is no model id of the form owner/name either"
        )
    return Path(snapshot_download(source, allow_patterns=DOWNLOADED, **download))
