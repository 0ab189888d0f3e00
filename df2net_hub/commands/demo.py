"""Reconstruct a photograph that is already on this machine: a first look without any download.

The photograph is scikit-image's picture of the astronaut Eileen Collins (public domain).
"""

import argparse

from df2net_hub.commands import reconstruct
from df2net_hub.demo_photo import demo_photo
from df2net_hub.faces import DETECTOR

EXAMPLES = """\
  df2net demo                      writes out/astronaut.glb and out/astronaut_preview.png
  df2net demo -o faces --formats glb,obj,ply
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    reconstruct.add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    photos = [str(demo_photo())]
    return reconstruct.run(
        argparse.Namespace(**vars(args), photos=photos, detector=DETECTOR, box=None)
    )
