"""Turn the checkpoint that the authors released (DF2Net.pth.tar) into a pipeline folder.

The folder then works wherever a pipeline is named: DF2NetPipeline.from_pretrained(FOLDER), or
`df2net reconstruct --model FOLDER`. The checkpoint is not part of this project: get it from the
authors, and ask them before you publish it, for they released it without a license.
"""

import argparse
from pathlib import Path

from df2net_hub.commands import DONE
from df2net_hub.model_card import TrainingRecord
from df2net_hub.modeling.convert import load_checkpoint
from df2net_hub.pipelines.df2net import DF2NetPipeline

EXAMPLES = """\
  df2net convert DF2Net.pth.tar df2net-release
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="the authors' file")
    parser.add_argument("folder", type=Path, help="the pipeline folder to write")


def run(args: argparse.Namespace) -> int:
    pipe = DF2NetPipeline(load_checkpoint(args.checkpoint))
    pipe.training = TrainingRecord(origin="authors")
    pipe.save_pretrained(args.folder)
    print(f"{args.checkpoint} -> {args.folder}")
    return DONE
