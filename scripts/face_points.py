"""Find the points of MediaPipe's face mesh in photographs, for `df2net assets photo-skins`.

    python -m venv points && points/bin/pip install "mediapipe==0.10.14"
    points/bin/python scripts/face_points.py portraits/ -o points.npz

An environment of its own, because this release of MediaPipe, the kind that carries its networks
within, wants older libraries than df2net_hub does. MediaPipe and its networks are Apache-2.0.
"""

import argparse
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders of them")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="NPZ")
    args = parser.parse_args()
    missing = [path for path in args.photos if not path.exists()]
    if missing:
        parser.error(f"no file or folder {missing[0]}")
    paths = [path for given in args.photos for path in _pictures(given)]
    names = Counter(path.name for path in paths)
    if twice := [name for name, count in names.items() if count > 1]:
        parser.error(f"{twice[0]} is there twice, and points are kept by the file's name")
    if find_spec("mediapipe") is None:
        parser.error('MediaPipe is not installed here: pip install "mediapipe==0.10.14"')
    found = face_points(paths)
    np.savez(args.output, **found)
    print(f"{args.output}: points of {len(found)} of {len(paths)} photos")
    return 0 if found else 1


def _pictures(given: Path) -> list[Path]:
    if given.is_dir():
        return sorted(path for path in given.iterdir() if path.suffix.lower() in PICTURES)
    return [given]


def face_points(paths: list[Path]) -> dict[str, np.ndarray]:
    """File name -> (478,2) float32 points [px], pixel centers at integers; faces that are found.

    Of photos upright, as `df2net_hub` reads them.
    """
    import mediapipe

    found = {}
    with mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True, min_detection_confidence=0.3
    ) as mesh:
        for path in paths:
            try:
                photo = np.array(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
            except OSError as error:
                print(f"no picture that can be read: {path} ({error})", file=sys.stderr)
                continue
            faces = mesh.process(photo).multi_face_landmarks
            if faces is None:
                print(f"no face found: {path}", file=sys.stderr)
                continue
            places = np.array([[point.x, point.y] for point in faces[0].landmark])
            found[path.name] = (places * photo.shape[1::-1] - 0.5).astype(np.float32)
    return found


if __name__ == "__main__":
    sys.exit(main())
