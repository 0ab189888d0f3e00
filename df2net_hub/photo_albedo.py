"""Albedo of the crop of a photo: by AlbedoNet, or from pictures that SfSNet made of the photos."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from df2net_hub.faces import FaceBox, crop_face
from df2net_hub.modeling.albedonet import AlbedoNet
from df2net_hub.photos import load_photo

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
# File name of the photo, its pixels, the box of the face, the crop (512,512,3) -> albedo of the
# crop (512,512,3) uint8 sRGB-like, None where none is wanted, or a short reason why there is none.
AlbedoMaker = Callable[[str, np.ndarray, FaceBox, np.ndarray], np.ndarray | str | None]


def open_albedo(kind: str) -> AlbedoMaker:
    """What makes the albedo of a crop.

    Args:
        kind: `albedonet` (the bundled weights), `albedonet:FOLDER_OR_ID`, `sfsnet:FOLDER`, `none`.

    Raises:
        ValueError: another kind, or a folder of SfSNet's without pictures.
        FileNotFoundError: no such folder.
    """
    name, _, place = kind.partition(":")
    if kind == "none":
        return lambda name, pixels, box, crop: None
    if name == "albedonet" and (place or kind == "albedonet"):
        net = AlbedoNet.from_pretrained(place or None)
        return lambda name, pixels, box, crop: crop_albedo(net, crop)
    if name == "sfsnet" and place:
        albedos = find_sfsnet_albedos(place)
        return lambda name, pixels, box, crop: sfsnet_albedo(albedos, name, pixels, box, len(crop))
    raise ValueError(
        f"albedo must be albedonet, albedonet:FOLDER_OR_ID, sfsnet:FOLDER or none, got {kind!r}"
    )


@torch.inference_mode()
def crop_albedo(net: AlbedoNet, crop: np.ndarray) -> np.ndarray:
    """Albedo (S,S,3) uint8, sRGB-like, of a face's crop (S,S,3) uint8 sRGB."""
    device = next(net.parameters()).device
    photo = torch.from_numpy(crop).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1
    albedo = net(photo)[0].permute(1, 2, 0)  # (S,S,3)
    return (albedo * 255).round().byte().cpu().numpy()


def find_sfsnet_albedos(folder: str) -> dict[str, Path]:
    """Albedo pictures of a folder by their file names without suffix.

    SfSNet's demos show their results and write none, so there is no layout of theirs to follow: the
    albedo (`al_out2` there, 128 x 128 x 3) of photo NAME.jpg is to be saved as NAME.png or
    NAME_albedo.png; that of NAME_face.png, as its own example photos are called, also as
    NAME_albedo.png, the way it names their masks.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no picture in it.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"no folder {folder!r} with albedo of SfSNet")
    paths = sorted(Path(folder).iterdir())
    found = {path.stem: path for path in paths if path.suffix.lower() in PICTURES}
    if not found:
        raise ValueError(f"no picture in {folder!r}; looked for {' '.join(PICTURES)}")
    return found


def sfsnet_albedo(
    albedos: dict[str, Path], name: str, pixels: np.ndarray, box: FaceBox, size: int
) -> np.ndarray | str:
    """SfSNet's albedo of the photo `name`, brought to the crop `box` (size,size,3) uint8.

    SfSNet squeezes whatever it is given to 128 x 128. Its albedo is stretched back over the whole
    photo, then cropped like the photo: right for albedo of the very photos that are prepared.

    Raises:
        PhotoError: the picture cannot be read.
    """
    stem = Path(name).stem
    names = (f"{stem}_albedo", stem.removesuffix("_face") + "_albedo", stem)
    path = next((albedos[name] for name in names if name in albedos), None)
    if path is None:
        return "no albedo of SfSNet"
    whole = Image.fromarray(load_photo(path))
    height, width = pixels.shape[:2]
    stretched = np.asarray(whole.resize((width, height), Image.Resampling.BICUBIC))
    return crop_face(stretched, box, size)
