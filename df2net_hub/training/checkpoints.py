"""Checkpoints that are whole or not there: written aside, then renamed.

A checkpoint holds what Accelerate saves (weights, optimizer, precision scaler, random states of
every process) and our own `state.json` and `average.safetensors`. Nothing of ours is a pickle, and
Accelerate reads its files with `weights_only`.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import nn

STATE_FILE, AVERAGE_FILE = "state.json", "average.safetensors"


@dataclass
class RunState:
    """Where a run stands.

    Attributes:
        step: steps made; also the position in the data.
        seconds: time spent in training, resumed runs included.
        skipped: steps left out because something was not finite.
        best: lowest validation score so far.
    """

    step: int = 0
    seconds: float = 0.0
    skipped: int = 0
    best: float | None = None


class Checkpoints:
    """The rolling checkpoints of a run, in `folder`.

    Args:
        folder: where they lie, as step_00000500 and so on.
        keep: how many are kept.
        accelerator: whose state is saved.
        average: the averaged weights, if any.
    """

    def __init__(
        self, folder: Path, keep: int, accelerator: Any, average: nn.Module | None
    ) -> None:
        self.folder, self.keep = folder, keep
        self.accelerator, self.average = accelerator, average

    def all(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        return sorted(self.folder.glob("step_*"))

    def save(self, state: RunState) -> None:
        """Write a checkpoint and drop the oldest; all processes call it.

        Raises:
            OSError: it cannot be written, such as on a full disk; the earlier ones are untouched.
        """
        target = self.folder / f"step_{state.step:08d}"
        aside = self.folder / f".saving-{target.name}"
        main = self.accelerator.is_main_process
        if main:
            self._tidy()
            aside.mkdir(parents=True, exist_ok=True)
        self.accelerator.wait_for_everyone()
        try:
            self.accelerator.save_state(str(aside))
            if main:
                self._write_own(aside, state)
        except Exception as error:  # each writer has its own kind of error for a full disk
            if main:
                shutil.rmtree(aside, ignore_errors=True)
            free = shutil.disk_usage(self.folder).free / 2**30
            raise OSError(
                f"the checkpoint of step {state.step} could not be written to {self.folder} "
                f"({free:.1f} GiB free): {error}. Earlier checkpoints are whole: make room, then "
                "go on with --resume."
            ) from error
        self.accelerator.wait_for_everyone()
        if main:
            if target.exists():
                shutil.rmtree(target)
            _flush(aside)
            aside.rename(target)
            for old in self.all()[: -self.keep]:
                shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def _write_own(self, folder: Path, state: RunState) -> None:
        if self.average is not None:
            tensors = {key: value.contiguous() for key, value in self.average.state_dict().items()}
            save_file(tensors, folder / AVERAGE_FILE)
        (folder / STATE_FILE).write_text(json.dumps(asdict(state)))

    def _tidy(self) -> None:
        """Remove what a killed run left half written."""
        for path in self.folder.glob(".saving-*"):
            shutil.rmtree(path)

    def resume(self) -> RunState:
        """Load the newest checkpoint.

        Raises:
            FileNotFoundError: there is none.
        """
        found = self.all()
        if not found:
            raise FileNotFoundError(
                f"{self.folder.parent} holds no checkpoint to resume from; leave out --resume to "
                "begin"
            )
        newest = found[-1]
        self.accelerator.load_state(str(newest))
        if self.average is not None:
            self.average.load_state_dict(load_file(newest / AVERAGE_FILE))
        return RunState(**json.loads((newest / STATE_FILE).read_text()))


def _flush(folder: Path) -> None:
    """Bring files to the disk before their folder gets its name."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    if os.name != "nt":  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
