r"""Train one stage of a DF2Net cascade (DF2Net, ICCV 2019, Sec. 3.3 to 3.6).

    df2net synthesize pairs --assets DATA --count 20000 --size 256
    accelerate launch scripts/train.py --stage dense --dataset pairs --resolution 128 \
        --out runs/dense
    accelerate launch scripts/train.py --stage fine --dataset pairs --model runs/dense/model \
        --out runs/fine

Every field of `TrainConfig` is a flag. A later stage takes the earlier one's `model` folder. Stop
at any time and go on with `--resume`.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from df2net_hub.training import TrainConfig, train


def parse(argv: Sequence[str] | None = None) -> TrainConfig:
    """Flags from the fields of `TrainConfig`; booleans are `--flag` and `--no-flag`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for field in fields(TrainConfig):
        shown = f"{field.metadata['help']} (default: {field.default})"
        options = (
            {"action": argparse.BooleanOptionalAction}
            if field.type is bool
            else {"type": field.type}
        )
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", default=field.default, help=shown, **options
        )
    return TrainConfig(**vars(parser.parse_args(argv)))


def main(argv: Sequence[str] | None = None) -> Path:
    """Train as the flags say; returns the folder with the weights."""
    logging.basicConfig(level=logging.INFO)
    return train(parse(argv))


if __name__ == "__main__":
    print(f"weights: {main()}")
