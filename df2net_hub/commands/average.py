"""Mean of the weights of several training runs that went out from the same weights.

A way to train on several cores or machines without a network between them: one run on each, their
mean with this command, the next round from the mean. The mean is most often better than each of
the runs. All runs must have begun from the same weights; measure the result (df2net evaluate).

--shares 0.85 0.15 lets the models count unequally: most of a run and some of what it began with
forgets less of what the run's photos did not show.

The statistics of batch normalization are averaged as well, and do not quite fit the mean of the
weights: --norms PAIRS takes those of D-Net anew from photos of a set.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from df2net_hub.averaging import average_weights
from df2net_hub.commands import DONE
from df2net_hub.commands.set_arguments import need_extras
from df2net_hub.geometry import CROP_SIZE
from df2net_hub.model_card import TrainingRecord
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.pairs import SOURCES
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.training.loader import plain_sample
from df2net_hub.training.precise_norms import settle_norms
from df2net_hub.training.rows import open_rows

NORM_PHOTOS, NORM_BATCH = 640, 32
EXAMPLES = """\
  df2net average runs/a/model runs/b/model -o runs/mean
  df2net average runs/a/model runs/b/model -o runs/mean --norms pairs
  df2net average runs/b/model runs/a/model -o runs/mean --shares 0.85 0.15 --norms pairs
  python scripts/train.py --model runs/mean ...
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="pipeline folders")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="the pipeline folder to write"
    )
    parser.add_argument(
        "--shares",
        nargs="+",
        type=float,
        default=[],
        metavar="SHARE",
        help="how much each model counts (default: all alike)",
    )
    parser.add_argument(
        "--norms",
        metavar="PAIRS",
        help=f"set of pairs: D-Net takes batch statistics anew from {NORM_PHOTOS} of its photos",
    )


def run(args: argparse.Namespace) -> int:
    if len(args.models) < 2:
        raise ValueError(f"a mean needs two models or more, got {args.models[0]} alone")
    mean = average_weights([DF2Net.from_folder(one) for one in args.models], args.shares)
    if args.norms:
        need_extras()
        settle_norms(mean.dense, map(mean.dense, _photos(args.norms, mean)), lambda own: own)
    pipe = DF2NetPipeline(mean)
    pipe.training = _record(args.models, args.shares, args.norms)
    pipe.save_pretrained(args.out)
    print(f"mean of {len(args.models)} models -> {args.out}")
    return DONE


def _photos(source: str, cascade: DF2Net) -> Iterator[Tensor]:
    """Batches (B,3,S,S) of a set's photos as they are, at the size D-Net works at."""
    size = getattr(cascade.dense.config, "working_size", 0) or CROP_SIZE
    rows = open_rows(source, ("image", "mask"), SOURCES, NORM_PHOTOS, size, 0)
    some = np.linspace(0, len(rows) - 1, min(NORM_PHOTOS, len(rows))).round().astype(int)
    for start in range(0, len(some), NORM_BATCH):
        batch = some[start : start + NORM_BATCH]
        yield torch.stack([plain_sample(rows, int(row), size)["image"] for row in batch])


def _record(models: list[Path], shares: list[float], norms: str | None) -> TrainingRecord:
    """The first model's record with the data and commands of all; its accuracy no longer holds."""
    records = [TrainingRecord.read(one) for one in models]
    data = dict.fromkeys(line for one in records for line in one.data or ())
    commands = dict.fromkeys(one.command for one in records if one.command)
    recipe = f"{records[0].recipe or ''} Mean of the weights of {len(models)} runs".strip()
    recipe += f", with shares of {', '.join(f'{share:g}' for share in shares)}." if shares else "."
    if norms:
        recipe += f" D-Net's batch statistics are those of {norms}."
    return replace(
        records[0],
        data=tuple(data) or None,
        command="\n".join(commands) or None,
        recipe=recipe,
        accuracy=None,
    )
