"""Make training photos without depth, rich in detail: the paper's third kind of data.

Finds the largest face of every photo, crops it as the networks see it, keeps it if it is large,
sharp, rich in detail and not turned too far, and estimates its albedo. PHOTOS is a folder of
photos, or a `datasets` set: a folder of .parquet files or owner/name on the hub. Writes Parquet
shards like `df2net synthesize`; stop it at any time, the same command goes on. docs/photos.md
shows what the scores mean.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

from df2net_hub.commands import DONE
from df2net_hub.photo_pairs import FinePhotos, PhotoLimits
from df2net_hub.photo_source import PhotoSource
from df2net_hub.shards import SetReport, rows_per_shard, write_set

EXAMPLES = """\
  df2net prepare-photos portraits/ -o fine                  albedo by the bundled AlbedoNet
  df2net prepare-photos OWNER/CACD -o fine --workers 8      a set of the hub, column "image"
  df2net prepare-photos crops/ -o fine --albedo sfsnet:sfs  albedo that SfSNet made of the photos
  df2net prepare-photos portraits/ -o fine --min-detail 3   only the richest
"""
SET_NAME = "fine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    usual = PhotoLimits()
    parser.add_argument("photos", help="folder of photos, or a datasets set")
    parser.add_argument("-o", "--output", required=True, help="folder where the shards go")
    parser.add_argument("--column", default="image", help="of a datasets set (%(default)s)")
    parser.add_argument(
        "--albedo",
        default="albedonet",
        help="albedonet, albedonet:FOLDER_OR_ID, sfsnet:FOLDER or none (%(default)s)",
    )
    parser.add_argument("--detector", default="dlib", help="dlib, none, or a plugin's (dlib)")
    for name, unit in (
        ("min_face", "side of the detected face in the photo [px]"),
        ("max_yaw", "turned to a side [deg]"),
        ("max_pitch", "up or down [deg]"),
        ("min_sharpness", "sharpness score, 0 to 1"),
        ("min_detail", "detail score, percent of the local brightness"),
    ):
        flag, value = f"--{name.replace('_', '-')}", getattr(usual, name)
        parser.add_argument(flag, type=float, default=value, help=f"{unit} (%(default)s)")
    parser.add_argument("--size", type=int, default=512, help="side of the pictures [px] (512)")
    parser.add_argument("--workers", type=int, default=1, help="processes (%(default)s)")


def run(args: argparse.Namespace) -> int:
    if find_spec("datasets") is None:
        raise ModuleNotFoundError("datasets is not installed: pip install 'df2net_hub[train]'")
    from tqdm import tqdm

    if args.workers < 1 or args.size < 32:
        raise ValueError("--workers must be 1 or more, --size 32 or more")
    limits = PhotoLimits(
        args.min_face, args.max_yaw, args.max_pitch, args.min_sharpness, args.min_detail
    )
    source = PhotoSource.find(args.photos, args.column)
    maker = FinePhotos(source, args.albedo, limits, args.size, args.detector)
    maker.check()
    with tqdm(total=source.count, unit="photo", disable=None) as bar:
        report = write_set(
            args.output,
            SET_NAME,
            maker,
            source.count,
            maker.recipe(),
            rows_per_shard=rows_per_shard(args.size),
            workers=args.workers,
            on_done=bar.update,
        )
    print(summary(report, Path(args.output)))
    return DONE


def summary(report: SetReport, folder: Path) -> str:
    """What was kept and why the others were not, a line each."""
    share = report.kept / max(report.made, 1)
    lines = [f"{report.kept} of {report.made} photos kept ({share:.0%}) in {folder}"]
    return "\n".join(lines + [f"{count:7d}  {why}" for why, count in report.rejected.items()])
