"""Time of a training step, part by part, against a plain loop over one fixed batch.

    python benchmarks/training.py --dataset pairs                 # df2net_small, dense, 256 px
    python benchmarks/training.py --dataset pairs --model df2net_base --resolution 512 --batch 16
    python benchmarks/training.py --dataset pairs --stage fine --compile --precision bf16

Both loops run in one process, in turns of a few steps, so a machine that is busy for a while slows
both. "Share" is the speed of the trainer's loop, data and all, over that of the plain loop: what is
missing from 100 % is what data and bookkeeping cost.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import nn

from df2net_hub.training.config import TrainConfig
from df2net_hub.training.loader import Batches, on_device
from df2net_hub.training.objectives import columns_for, weighted_losses
from df2net_hub.training.schedule import make_optimizer
from df2net_hub.training.stage import StageTrainer, open_network, seen_by, trained_part

ROUND = 3  # steps of one loop before the other has its turn
WARM_UP = 2  # rounds that are not counted


class Stage:
    """One stage as the trainer sets it up, in one process."""

    def __init__(self, config: TrainConfig, device: torch.device, precision: str) -> None:
        self.config, self.device, self.precision = config, device, precision
        network = open_network(config).eval().requires_grad_(False).to(device)
        network.to(memory_format=torch.channels_last)
        trained = trained_part(network, config.stage).train().requires_grad_(True)
        if config.compile:
            trained.compile()
        self.model = StageTrainer(network, config.stage, trained, config.disturb)
        self.optimizer = make_optimizer(config, trained.parameters())
        self.weights = config.recipe(config.stage).losses

    def step(self, batch: dict[str, Any]) -> dict[str, float]:
        """One step on a batch; seconds of each part."""
        marks = [self._now()]
        kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.precision)
        with torch.autocast(self.device.type, dtype=kind, enabled=kind is not None):
            seen = seen_by(self.model, self.config.stage, batch, "truth", self.config.window)
        marks.append(self._now())
        loss = torch.stack(list(weighted_losses(self.weights, seen).values())).sum()
        marks.append(self._now())
        loss.backward()
        marks.append(self._now())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        marks.append(self._now())
        names = ("forward", "loss", "backward", "optimizer")
        pieces = zip(names, marks, marks[1:], strict=False)
        return {name: after - before for name, before, after in pieces}

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return perf_counter()


def measure(stage: Stage, loader: Iterator[dict], rounds: int) -> dict[str, list[float]]:
    """Seconds of each part of a step, and of steps of both loops, round by round."""
    fixed = on_device(next(loader), stage.device)
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + WARM_UP):
        counts = number >= WARM_UP
        begun = perf_counter()
        for _ in range(ROUND):
            stage.step(fixed)
        plain = (perf_counter() - begun) / ROUND
        begun = perf_counter()
        for _ in range(ROUND):
            asked = perf_counter()
            batch = on_device(next(loader), stage.device)
            parts = {"data wait": perf_counter() - asked, **stage.step(batch)}
            if counts:
                for name, seconds in parts.items():
                    times[name].append(seconds)
        if counts:
            times["plain loop"].append(plain)
            times["full loop"].append((perf_counter() - begun) / ROUND)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", required=True, help="set of pairs, or render:DATA")
    parser.add_argument("--model", default="df2net_small")
    parser.add_argument("--stage", default="dense", choices=("dense", "fine", "finer"))
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--precision", default="no", choices=("no", "bf16", "fp16"))
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--json", help="file for the numbers")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    config = TrainConfig(
        stage=given.stage,
        preset="ours",
        dataset=(given.dataset,),
        model=given.model,
        resolution=given.resolution,
        batch=given.batch,
        workers=given.workers,
        compile=given.compile,
    ).for_stage(given.stage)
    columns = columns_for(config.recipe(given.stage).losses, "truth")
    stage = Stage(config, device, given.precision)
    times = measure(stage, iter(Batches(config, columns, 0, 1).loader(0)), given.rounds)
    print(f"{given.model}, stage {given.stage}, {given.batch} photos of {given.resolution} px on")
    print(f"{device}, {given.threads} threads, precision {given.precision}, medians:")
    for name, seconds in times.items():
        print(f"  {name:15} {median(seconds) * 1000:9.1f} ms a step")
    ratios = [
        plain / ours for plain, ours in zip(times["plain loop"], times["full loop"], strict=True)
    ]
    print(f"  {given.batch / median(times['full loop']):.1f} photos/s")
    print(f"  share of the plain loop: {median(ratios):.0%}")
    if given.json:
        with open(given.json, "w") as file:
            json.dump(times, file, indent=2)


if __name__ == "__main__":
    main()
