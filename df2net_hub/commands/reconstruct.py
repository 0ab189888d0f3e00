"""Photographs in, 3D faces out.

Finds every face of every photograph and writes, for each, a mesh with the photo as its texture
(lengths in mm, assuming 63 mm between the eyes) and a preview picture of the three stages. The
weights that come with df2net_hub are used unless --model names others. Works without a network.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from df2net_hub.batch import Outcome, check_writable, find_photos, output_stems, reconstruct_photo
from df2net_hub.commands import DONE, FAILED, NO_FACE
from df2net_hub.export import FORMATS
from df2net_hub.faces import DETECTOR, FaceBox, get_detector
from df2net_hub.pipelines.df2net import DF2NetPipeline

EXAMPLES = """\
  df2net reconstruct portrait.jpg                    out/portrait.glb, out/portrait_preview.png
  df2net reconstruct photos/ 'more/*.png' -o faces   every photograph of a folder and a pattern
  df2net reconstruct portrait.jpg --formats obj,stl  for a modeler, for a 3D printer
  df2net reconstruct crop.png --detector none        the picture is already a crop around a face
  df2net reconstruct team.jpg --box 310 80 400       one face: left, top and side of its crop [px]
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", help="files, folders, patterns such as '*.jpg'")
    parser.add_argument(
        "--detector", default=DETECTOR, help="dlib, none, or a plugin's name (dlib)"
    )
    parser.add_argument(
        "--box",
        nargs=3,
        type=float,
        metavar=("X", "Y", "SIDE"),
        help="the square [px] that crops the one face of each photo; no detector is asked",
    )
    add_output_arguments(parser)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """What to reconstruct with and where to put it; the same for every verb that writes faces."""
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("out"), help="folder to write to (%(default)s)"
    )
    parser.add_argument(
        "--formats",
        type=formats,
        default=["glb"],
        help=f"separated by commas, of {', '.join(sorted(FORMATS))} (glb)",
    )
    parser.add_argument("--model", help="pipeline folder, or owner/name on the hub (bundled)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps ... (%(default)s)")


def formats(text: str) -> list[str]:
    """Format names from "glb,obj"; argparse turns the error into a usage message."""
    names = text.split(",")
    for name in names:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(
                f"unknown format {name!r}; known: {', '.join(sorted(FORMATS))}"
            )
    return names


def run(args: argparse.Namespace) -> int:
    get_detector(args.detector)  # a wrong name is said before the weights are read
    photos = find_photos(args.photos)
    check_writable(args.output)
    pipe = DF2NetPipeline.from_pretrained(args.model).to(usable_device(args.device))
    box = FaceBox(args.box[0], args.box[1], args.box[2], 1.0, "given") if args.box else None
    outcomes = []
    for photo, stem in tqdm(
        list(zip(photos, output_stems(photos), strict=True)),
        unit="photo",
        disable=None,  # no bar where stderr is no terminal
        leave=False,
    ):
        outcome = reconstruct_photo(
            pipe, photo, args.output, stem, args.formats, args.detector, box
        )
        tqdm.write(describe(outcome))
        outcomes.append(outcome)
    return report(outcomes)


def usable_device(name: str) -> torch.device:
    """The device of that name, proven to hold a tensor."""
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:  # torch's words for "none of that name here"
        raise ValueError(
            f"cannot use the device {name!r}; `df2net doctor` lists the devices of this machine"
        ) from error


def describe(outcome: Outcome) -> str:
    """What became of a photo, on one line."""
    if outcome.error is not None:
        return f"{outcome.photo}: failed"
    if outcome.num_faces == 0:
        return f"{outcome.photo}: no face found"
    faces = "1 face" if outcome.num_faces == 1 else f"{outcome.num_faces} faces"
    return f"{outcome.photo}: {faces} -> {', '.join(str(file) for file in outcome.files)}"


def report(outcomes: Sequence[Outcome]) -> int:
    """Say on stderr what did not work, and give the exit status."""
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    faceless = [outcome for outcome in outcomes if outcome.error is None and not outcome.num_faces]
    for outcome in failed:
        print(f"df2net: {outcome.error}", file=sys.stderr)
    if faceless:
        print(
            f"df2net: no face found in {', '.join(str(o.photo) for o in faceless)}; try a photo in "
            "which a face looks toward the camera, or say where it is with --box X Y SIDE",
            file=sys.stderr,
        )
    return FAILED if failed else NO_FACE if faceless else DONE
