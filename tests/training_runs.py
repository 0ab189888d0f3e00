"""What the trainer's tests share: a config of seconds, and looking at what a run left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.training.config import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
QUICK = {
    "precise_norms": 16,
    "stage": "dense",
    "preset": "ours",
    "resolution": 32,
    "batch": 8,
    "epochs": 4,
    "lr": 3e-3,
    "warmup": 2,
    "workers": 0,
    "ema": 0.8,
    "picture_every": 0,
    "tracker": "none",
}


def quick(pairs: str, model: str, out: Path, **changes) -> TrainConfig:
    return TrainConfig(dataset=(pairs,), model=model, out=str(out), **(QUICK | changes))


def flags(pairs: str, model: str, out: Path, **changes) -> list[str]:
    """The same as arguments of the launch script."""
    values = QUICK | {"dataset": pairs, "model": model, "out": str(out)} | changes
    return [part for name, value in values.items() for part in _flag(name, value)]


def _flag(name: str, value) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", str(value)]


def launch(arguments: list[str], *, processes: int = 1, **options) -> subprocess.Popen:
    """The launch script in processes of its own, on the CPU over gloo if several."""
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", f"--nproc_per_node={processes}"]
        launcher += ["--master_port=0", "--rdzv_backend=c10d", "--rdzv_endpoint=localhost:0"]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*launcher, str(ROOT / "scripts" / "train.py"), *arguments],
        env=environment | options.pop("env", {}),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def logged(out: Path, name: str = "loss/depth") -> list[dict]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if name in line]


def same_weights(first: Path, second: Path) -> bool:
    one, two = DF2Net.from_folder(first).state_dict(), DF2Net.from_folder(second).state_dict()
    return all(torch.equal(one[key], two[key]) for key in one)


def largest_difference(first: Path, second: Path) -> float:
    one, two = DF2Net.from_folder(first).state_dict(), DF2Net.from_folder(second).state_dict()
    return max(float((one[key] - two[key]).abs().max()) for key in one)
