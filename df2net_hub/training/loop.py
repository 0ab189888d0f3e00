"""Steps of one stage: load, run, weigh, descend; and what is written on the way."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from df2net_hub.training.checkpoints import Checkpoints, RunState
from df2net_hub.training.config import StageConfig
from df2net_hub.training.export import export, hardware_name, run_record, save_whole
from df2net_hub.training.loader import Batches, Sample, on_device
from df2net_hub.training.monitor import Monitor
from df2net_hub.training.objectives import Seen, weighted_losses
from df2net_hub.training.pictures import learning_picture
from df2net_hub.training.precise_norms import settle_norms
from df2net_hub.training.schedule import learning_rate
from df2net_hub.training.stage import Network, StageTrainer, seen_by
from df2net_hub.training.validation import SCORES, Validation

PICTURED = 4  # photos in a picture
MOST_SKIPPED = 10  # steps in a row
FINISHED_FILE = "finished.json"


class TrainingStopped(Exception):
    """The run was asked to stop, and saved a checkpoint first."""


@dataclass
class StageRun:
    """One stage being trained.

    Attributes:
        network: with its fixed stages.
        model: the prepared `StageTrainer`.
        average: of the trained weights, or None.
        steps: of the whole run.
    """

    accelerator: Any
    config: StageConfig
    network: Network
    model: nn.Module
    optimizer: Any
    average: AveragedModel | None
    batches: Batches
    validation: Validation | None
    checkpoints: Checkpoints
    monitor: Monitor
    state: RunState
    steps: int
    errors: dict[str, float] | None = None  # of the last validation

    def loop(self, asked_to_stop: Callable[[], bool]) -> None:
        """Train to the last step; see `run.train` for what is raised."""
        config, state, monitor = self.config, self.state, self.monitor
        loader = iter(self.batches.loader(state.step))
        begun, skipped_in_a_row = time.monotonic() - state.seconds, 0
        steps_to_go = self.steps - state.step
        while state.step < self.steps:
            lr = learning_rate(config, state.step, self.steps)
            for group in self.optimizer.param_groups:
                group["lr"] = lr
            try:
                parts, seen, waited, odd = self._step(loader)
            except torch.OutOfMemoryError as error:
                raise MemoryError(self._too_large()) from error
            if odd:
                skipped_in_a_row = self._skip(odd, skipped_in_a_row)
            else:
                skipped_in_a_row = 0
                if self.average is not None:
                    self.average.update_parameters(self._unwrapped().trained)
            state.step += 1
            state.seconds = time.monotonic() - begun
            monitor.stepped(waited)
            if state.step % config.log_every == 0 or state.step in (1, self.steps):
                monitor.log(state.step, self._over_processes(parts), lr)
            if config.picture_every and state.step % config.picture_every == 0:
                monitor.show(state.step, self._picture(seen))
            last = state.step == self.steps
            if last and config.precise_norms:
                self._settle_norms()
            if self.validation and (last or state.step % config.validate_every == 0):
                self._validate()
            stop = self._agreed(asked_to_stop())
            if stop or last or state.step % config.save_every == 0:
                self.checkpoints.save(state)
                self._export("model")
            if stop and not last:
                raise TrainingStopped(
                    f"stopped at step {state.step} of {self.steps}; go on with --resume"
                )
        if not steps_to_go:  # killed, maybe, between its last checkpoint and its export
            self._export("model")
        if self.accelerator.is_main_process:
            save_whole(Path(config.out) / FINISHED_FILE, {"steps": state.step})

    def _step(self, loader: Iterator[Sample]) -> tuple[dict[str, Tensor], Seen, float, list[str]]:
        """One step: losses of its last part, what was seen, seconds waited, ids of odd photos."""
        accelerator, config = self.accelerator, self.config
        weights = config.recipe(config.stage).losses
        waited, odd = 0.0, []
        for _ in range(config.accumulate):
            asked = time.monotonic()
            batch = on_device(next(loader), accelerator.device)
            waited += time.monotonic() - asked
            with accelerator.accumulate(self.model):
                with accelerator.autocast():
                    seen = seen_by(self.model, config.stage, batch, config.target, config.window)
                parts = weighted_losses(weights, seen)
                loss = torch.stack(list(parts.values())).sum()
                if self._agreed(not torch.isfinite(loss)):
                    odd += self._odd_photos(seen)
                    continue
                accelerator.backward(loss)
                if accelerator.sync_gradients and not odd:
                    norm = accelerator.clip_grad_norm_(
                        self.model.parameters(), config.clip or float("inf")
                    )
                    # Under fp16 the scaler finds overflows and leaves such steps out by itself.
                    if accelerator.mixed_precision != "fp16" and not torch.isfinite(norm):
                        odd += self._odd_photos(seen)
                if not odd:
                    self.optimizer.step()
                    self.optimizer.zero_grad()
        if odd:
            self.optimizer.zero_grad()
        return parts, seen, waited, odd

    def _over_processes(self, parts: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of the photos of all processes, which are means over each process's own."""
        if self.accelerator.num_processes == 1:
            return parts
        return {
            name: self.accelerator.reduce(part.detach(), "mean") for name, part in parts.items()
        }

    def _agreed(self, mine: bool | Tensor) -> bool:
        """Whether it is so in any process."""
        if self.accelerator.num_processes == 1:
            return bool(mine)
        flag = torch.tensor(float(mine), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag) > 0)

    def _odd_photos(self, seen: Seen) -> list[str]:
        """Ids of the photos whose output or truth is not finite; of all, if it is none of them."""
        from accelerate.utils import gather_object

        looked_at = [seen.depth, seen.target_depth, seen.albedo, *seen.batch.values()]
        odd = {
            name
            for values in looked_at
            if isinstance(values, Tensor)
            for name, photo in zip(seen.batch["id"], values, strict=True)
            if not torch.isfinite(photo.float()).all()
        }
        return sorted(set(gather_object(sorted(odd))) or set(gather_object(seen.batch["id"])))

    def _skip(self, odd: list[str], before: int) -> int:
        """Count a step left out.

        Raises:
            ValueError: the policy is to stop, or too many came in a row.
        """
        config, step = self.config, self.state.step + 1
        shown = ", ".join(odd[:16]) + (f" and {len(odd) - 16} more" if len(odd) > 16 else "")
        what = f"loss or gradient is not finite at step {step}, photos {shown}"
        if config.nan == "stop" or before + 1 >= MOST_SKIPPED:
            many = f", as in {before} steps before it" if before else ""
            raise ValueError(
                f"{what}{many}. Nothing was saved of it: go on from the checkpoint before with "
                "--resume and a lower --lr, or leave such steps out with --nan skip."
            )
        self.state.skipped += 1
        self.monitor.note(f"{what}: step skipped")
        return before + 1

    def _too_large(self) -> str:
        config = self.config
        here = config.batch // (self.accelerator.num_processes * config.accumulate)
        return (
            f"a step of {here} photos at {config.resolution} px does not fit the memory of "
            f"{self.accelerator.device}; compute it in parts with --accumulate "
            f"{2 * config.accumulate} (the same losses), or lower --batch or --resolution, or use "
            "--mixed-precision bf16"
        )

    def _unwrapped(self) -> StageTrainer:
        return self.accelerator.unwrap_model(self.model)

    def _judged(self) -> StageTrainer:
        """The stage with the weights that are exported, in evaluation mode."""
        trained = self._unwrapped().trained if self.average is None else self.average.module
        return StageTrainer(self.network, self.config.stage, trained).eval()

    def _settle_norms(self) -> None:
        """Give the weights that are exported batch statistics of photos as they are."""
        config = self.config
        judged = self._judged()
        loader = iter(self.batches.loader(0, augment=False))
        count = math.ceil(config.precise_norms * config.accumulate / config.batch)

        def send() -> Seen:
            batch = on_device(next(loader), self.accelerator.device)
            return seen_by(judged, config.stage, batch, config.target, config.window)

        settle_norms(
            judged.trained,
            (send() for _ in range(count)),
            lambda values: self.accelerator.reduce(values, "mean"),
        )
        self._unwrapped().train()

    def _validate(self) -> None:
        assert self.validation is not None
        errors = self.validation.measure(
            self._judged(), self.accelerator.device, self.accelerator.reduce
        )
        self._unwrapped().train()
        self.errors = errors
        self.monitor.write(
            self.state.step, {f"validation/{name}": value for name, value in errors.items()}
        )
        score = errors[SCORES[self.config.stage]]
        if self.state.best is None or score < self.state.best:
            self.state.best = score
            self._export("best")

    def _picture(self, seen: Seen) -> np.ndarray:
        """Of validation pairs with the exported weights, else of the photos just trained on."""
        if self.validation is not None:
            batch = self.validation.batch(self.validation.mine[:PICTURED], self.accelerator.device)
            with torch.no_grad():
                seen = seen_by(self._judged(), self.config.stage, batch, "truth")
            self._unwrapped().train()
        return learning_picture(seen.first(PICTURED))

    def _export(self, name: str) -> None:
        """Write the folder `name` of the run; all processes call it."""
        if self.average is None:
            whole = self.accelerator.get_state_dict(self.model)
            weights = {key.removeprefix("trained."): value for key, value in whole.items()}
        else:
            weights = self.average.module.state_dict()
        if self.accelerator.is_main_process:
            record = run_record(
                self.config,
                self.batches.length,
                self.steps,
                self.state,
                self.errors,
                hardware_name(self.accelerator),
            )
            folder = Path(self.config.out) / name
            export(self.network, weights, folder, record, self.config.stage)
