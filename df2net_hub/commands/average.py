"""Mean of the weights of several training runs that went out from the same weights.

A way to train on several cores or machines without a network between them: one run on each, their
mean with this command, the next round from the mean. The mean is most often better than each of
the runs. All runs must have begun from the same weights; measure the result (df2net evaluate).
"""

import argparse
from dataclasses import replace
from pathlib import Path

from df2net_hub.averaging import average_weights
from df2net_hub.commands import DONE
from df2net_hub.model_card import TrainingRecord
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.pipelines.df2net import DF2NetPipeline

EXAMPLES = """\
  df2net average runs/a/model runs/b/model -o runs/mean
  python scripts/train.py --model runs/mean ...
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="pipeline folders")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="the pipeline folder to write"
    )


def run(args: argparse.Namespace) -> int:
    if len(args.models) < 2:
        raise ValueError(f"a mean needs two models or more, got {args.models[0]} alone")
    pipe = DF2NetPipeline(average_weights([DF2Net.from_folder(one) for one in args.models]))
    pipe.training = _record(args.models)
    pipe.save_pretrained(args.out)
    print(f"mean of {len(args.models)} models -> {args.out}")
    return DONE


def _record(models: list[Path]) -> TrainingRecord:
    """The first model's record with the data and commands of all; its accuracy no longer holds."""
    records = [TrainingRecord.read(one) for one in models]
    data = dict.fromkeys(line for one in records for line in one.data or ())
    commands = dict.fromkeys(one.command for one in records if one.command)
    recipe = f"{records[0].recipe or ''} Mean of the weights of {len(models)} runs.".strip()
    return replace(
        records[0],
        data=tuple(data) or None,
        command="\n".join(commands) or None,
        recipe=recipe,
        accuracy=None,
    )
