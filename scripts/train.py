r"""Train a DF2Net cascade (DF2Net, ICCV 2019, Sec. 3.3 to 3.6), or AlbedoNet.

    df2net synthesize pairs --assets DATA --count 20000 --size 256
    accelerate launch scripts/train.py --stage dense --preset ours --model df2net_small \
        --dataset pairs --out runs/dense
    accelerate launch scripts/train.py --stage fine --preset ours --model runs/dense/model \
        --dataset pairs --out runs/fine
    accelerate launch scripts/train.py --config configs/paper.toml

Without --stage the three stages are trained in turn, by the paper's recipe. Stop at any time
(Ctrl-C or SIGTERM: a checkpoint is saved, the exit status is 75) and go on with --resume.
docs/training.md tells more.
"""

import logging
import sys
from collections.abc import Sequence

from df2net_hub.training.config import parse
from df2net_hub.training.loop import TrainingStopped
from df2net_hub.training.run import train

STOPPED = 75  # EX_TEMPFAIL of sysexits.h: try again


def main(argv: Sequence[str] | None = None) -> int:
    """Train as the flags say; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("accelerate").setLevel(logging.WARNING)
    config = parse(argv, __doc__)
    try:
        print(f"weights: {train(config)}")
    except TrainingStopped as stopped:
        print(stopped, file=sys.stderr)
        return STOPPED
    except (ValueError, LookupError, OSError, MemoryError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
