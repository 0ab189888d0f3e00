"""What one sees of a run: a progress bar, log.jsonl, a tracker's curves and pictures."""

import json
import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from df2net_hub.training.config import StageConfig


class Monitor:
    """Reports of the main process; silent in the others.

    Args:
        accelerator: whose trackers are fed.
        config: of the stage.
        steps: of the whole run.
        step: made before.
    """

    def __init__(self, accelerator: Any, config: StageConfig, steps: int, step: int) -> None:
        from tqdm import tqdm

        self.accelerator, self.config, self.out = accelerator, config, Path(config.out)
        self.main = accelerator.is_main_process
        self.bar = tqdm(
            total=steps,
            initial=step,
            desc=config.stage,
            unit="step",
            disable=not self.main,
            mininterval=2,
            maxinterval=10,
        )
        self.since, self.first, self.waited = time.monotonic(), step, 0.0
        if self.main:
            self._forget_after(step)

    def _forget_after(self, step: int) -> None:
        """Drop lines of steps that a killed run logged and that come again now."""
        path = self.out / "log.jsonl"
        lines = path.read_text().splitlines(keepends=True) if step and path.is_file() else []
        whole = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        aside = path.with_suffix(".part")
        aside.write_text("".join(whole))
        os.replace(aside, path)

    def stepped(self, waited: float) -> None:
        """Count a step, and the time that it waited for data [s]."""
        self.waited += waited
        self.bar.update()

    def log(self, step: int, parts: dict[str, torch.Tensor], lr: float) -> None:
        """Losses of the last step and speed since the last line."""
        if not self.main:
            return
        elapsed = max(time.monotonic() - self.since, 1e-9)
        photos = (step - self.first) * self.config.batch / elapsed
        values = {name: part.item() for name, part in parts.items()}
        speed = {
            "lr": lr,
            "photos_per_s": photos,
            "data_wait": self.waited / elapsed,
            "memory_gb": memory_gb(),
        }
        self.since, self.first, self.waited = time.monotonic(), step, 0.0
        shown = {name: f"{value:.3g}" for name, value in values.items()}
        self.bar.set_postfix(
            shown
            | {
                "photos/s": f"{photos:.3g}",
                "wait": f"{speed['data_wait']:.0%}",
                "GB": f"{speed['memory_gb']:.1f}",
            }
        )
        self.write(step, {f"loss/{name}": value for name, value in values.items()} | speed)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Add a line to log.jsonl, and points to the tracker's curves."""
        if not self.main:
            return
        line = {"step": step, "time": round(time.time(), 1)}
        line |= {name: float(f"{value:.6g}") for name, value in values.items()}
        with open(self.out / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")
        self.accelerator.log(values, step=step)

    def show(self, step: int, picture: np.ndarray) -> None:
        """Save a picture (H,W,3) uint8 and give it to the tracker."""
        if not self.main:
            return
        folder = self.out / "pictures"
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"step_{step:08d}.jpg"), picture[..., ::-1])
        for tracker in self.accelerator.trackers:
            if tracker.name in ("tensorboard", "wandb"):
                pictures = {self.config.stage: picture[None]}
                options = {"dataformats": "NHWC"} if tracker.name == "tensorboard" else {}
                tracker.log_images(pictures, step=step, **options)

    def note(self, text: str) -> None:
        """Say something above the bar, in the log's file too."""
        if self.main:
            self.bar.write(text)
            with open(self.out / "notes.txt", "a") as notes:
                notes.write(text + "\n")

    def close(self) -> None:
        """End the bar."""
        self.bar.close()


def memory_gb() -> float:
    """Largest memory so far: of the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    import psutil

    return psutil.Process().memory_info().rss / 2**30
