"""Make training photos without depth, rich in detail: the paper's third kind of data.

Finds the largest face of every photo, crops it as the networks see it, keeps it if it is large,
sharp, rich in detail and not turned too far, and estimates its albedo. PHOTOS is a folder of
photos, or a `datasets` set: a folder of .parquet files or owner/name on the hub. Writes Parquet
shards like `df2net synthesize`; stop it at any time, the same command goes on. docs/photos.md
shows what the scores mean.
"""

import argparse
import shlex
from dataclasses import asdict

from df2net_hub.commands.set_arguments import (
    add_set_arguments,
    need_extras,
    write_with_progress,
)
from df2net_hub.faces import DETECTOR
from df2net_hub.photo_pairs import FinePhotos, PhotoLimits
from df2net_hub.photo_source import PhotoSource

EXAMPLES = """\
  df2net prepare-photos portraits/ -o fine                  albedo by the bundled AlbedoNet
  df2net prepare-photos OWNER/CACD -o cacd --workers 8      a set of the hub, column "image"
  df2net prepare-photos crops/ -o sfs --albedo sfsnet:FOLDER  albedo that SfSNet made of the photos
  df2net prepare-photos portraits/ -o rich --min-detail 4   only the richest
"""
SET_NAME = "fine"
COLUMN = "image"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    usual = PhotoLimits()
    parser.add_argument("photos", help="folder of photos, or a datasets set")
    parser.add_argument("-o", "--output", required=True, help="folder where the shards go")
    parser.add_argument("--column", default=COLUMN, help="of a datasets set (%(default)s)")
    parser.add_argument(
        "--albedo",
        default="albedonet",
        help="albedonet, albedonet:FOLDER_OR_ID, sfsnet:FOLDER or none (%(default)s)",
    )
    parser.add_argument("--detector", default=DETECTOR, help="dlib, none, or a plugin's (dlib)")
    for name, unit in (
        ("min_face", "side of the detected face in the photo [px]"),
        ("max_yaw", "turned to a side [deg]"),
        ("max_pitch", "up or down [deg]"),
        ("min_sharpness", "sharpness score, 0 to 1"),
        ("min_detail", "detail score, percent of the local brightness"),
    ):
        flag, value = f"--{name.replace('_', '-')}", getattr(usual, name)
        parser.add_argument(flag, type=float, default=value, help=f"{unit} (%(default)s)")
    parser.add_argument(
        "--license", help="of the photos, for the card: an identifier of the Hub such as cc0-1.0"
    )
    add_set_arguments(parser)


def run(args: argparse.Namespace) -> int:
    need_extras()
    limits = PhotoLimits(
        args.min_face, args.max_yaw, args.max_pitch, args.min_sharpness, args.min_detail
    )
    source = PhotoSource.find(args.photos, args.column)
    maker = FinePhotos(source, args.albedo, limits, args.size, args.detector)
    maker.check()
    # Without the paths of this machine: the card is published.
    words = ["df2net", "prepare-photos", "PHOTOS", "-o", "FOLDER", "--size", args.size]
    words += ["--albedo", args.albedo.partition(":")[0]]
    words += [] if args.detector == DETECTOR else ["--detector", args.detector]
    words += [] if args.column == COLUMN else ["--column", args.column]
    for name, value in asdict(limits).items():
        words += [f"--{name.replace('_', '-')}", f"{value:g}"]
    recipe = maker.recipe() | {"command": shlex.join(map(str, words))}
    if args.license:
        recipe["license"] = args.license
    return write_with_progress(
        args, args.output, SET_NAME, maker, source.count, recipe, unit="photo"
    )
