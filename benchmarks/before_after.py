"""Two sets of weights on the same photos, side by side: numbers do not show everything.

python benchmarks/before_after.py --before OLD --after NEW photo.jpg more.jpg -o before_after.png

Each photo's largest face in clay, from the front and both sides, by the weights of two pipeline
folders (or hub ids); without a photo, the demo's astronaut.
"""

import argparse
from pathlib import Path

import numpy as np

from df2net_hub import DF2NetPipeline
from df2net_hub.demo_photo import demo_photo
from df2net_hub.export import save_picture
from df2net_hub.preview import preview_picture


def side_by_side(photo: str | Path, pipes: dict[str, DF2NetPipeline]) -> np.ndarray:
    """The preview of `photo` with a column for each pipeline in place of the stages.

    Raises:
        ValueError: one of them finds no face.
    """
    faces = {}
    for name, pipe in pipes.items():
        found = pipe(photo).faces
        if not found:
            raise ValueError(f"{photo}: no face found by {name}; give a portrait")
        faces[name] = found[0]
    last = list(faces.values())[-1]
    mask = np.logical_and.reduce([face.mask for face in faces.values()])
    depths = {name: face.depth for name, face in faces.items()}
    return preview_picture(last.crop, mask, depths)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="*", type=Path, help="portraits (the astronaut)")
    parser.add_argument("--before", required=True, help="pipeline folder or owner/name")
    parser.add_argument("--after", help="the same (default: the bundled weights)")
    parser.add_argument("-o", "--output", type=Path, default=Path("before_after.png"))
    args = parser.parse_args()
    pipes = {
        "before": DF2NetPipeline.from_pretrained(args.before),
        "after": DF2NetPipeline.from_pretrained(args.after),
    }
    pictures = [side_by_side(photo, pipes) for photo in args.photos or [demo_photo()]]
    print(save_picture(np.vstack(pictures), args.output))


if __name__ == "__main__":
    main()
