"""The training loop, for one stage or for all in turn. DF2Net (ICCV 2019) Sec. 3.3 to 3.6."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from df2net_hub.modeling.residual_unet import ResidualUNet
from df2net_hub.registry import name_of
from df2net_hub.training.batch_norm import share_batch_norms
from df2net_hub.training.checkpoints import Checkpoints, RunState
from df2net_hub.training.config import StageConfig, TrainConfig, as_json
from df2net_hub.training.export import hardware_name
from df2net_hub.training.loader import Batches
from df2net_hub.training.loop import FINISHED_FILE, StageRun
from df2net_hub.training.monitor import Monitor
from df2net_hub.training.objectives import columns_for
from df2net_hub.training.schedule import make_optimizer
from df2net_hub.training.stage import StageTrainer, open_network, trained_part
from df2net_hub.training.validation import Validation

logger = logging.getLogger(__name__)


def train(config: TrainConfig) -> Path:
    """Train the stages of `config` and export the network; returns the exported folder.

    `--stage all` trains each stage from the folder of the one before, in out/dense, out/fine and
    out/finer; with `resume`, stages whose folder is whole are not trained again.

    Raises:
        ValueError: data or model that do not fit the stage; a loss that is not finite.
        FileNotFoundError: no shards, no such model folder, or nothing to resume from.
        OSError: a checkpoint could not be written.
        MemoryError: a step does not fit the memory.
        TrainingStopped: SIGTERM or Ctrl-C came; the checkpoint is saved.
    """
    stages, out = config.stages(), Path(config.out)
    if len(stages) == 1:
        return _train_stage(config.for_stage(stages[0]))
    model = config.model
    begun = networks_to_begin(config)
    for stage in stages:
        folder = out / stage
        own = replace(config.for_stage(stage), out=str(folder), model=model, network=begun[stage])
        if config.resume and (folder / FINISHED_FILE).is_file():
            logger.info("stage %s is trained already: %s", stage, folder / "model")
        else:
            # A stage that a stopped run had not come to has no checkpoint; the first must have.
            goes_on = config.resume and any((folder / "checkpoints").glob("step_*"))
            _train_stage(replace(own, resume=goes_on or (config.resume and stage == stages[0])))
        model = str(folder / "model")
    return Path(model)


def networks_to_begin(config: TrainConfig) -> dict[str, str]:
    """Of each stage the network that is to begin with the stage before it, "" for none.

    Only those of a fresh cascade: in a folder they have learned something of their own. All are
    opened here, so that one that cannot be trained is known before days of training.

    Raises:
        ValueError: a model that a stage cannot train, or not at its resolution.
    """
    fresh = not Path(config.model).is_dir()
    names = {}
    for stage in config.stages():
        trained = trained_part(open_network(config.for_stage(stage)), stage)
        begins = fresh and stage != "dense" and isinstance(trained, ResidualUNet)
        names[stage] = name_of(trained) if begins else ""
    return names


def _train_stage(config: StageConfig) -> Path:
    from accelerate import Accelerator
    from accelerate.utils import ProjectConfiguration, set_seed

    out = Path(config.out)
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision or None,
        gradient_accumulation_steps=config.accumulate,
        log_with=None if config.tracker == "none" else config.tracker,
        project_config=ProjectConfiguration(str(out), logging_dir=str(out)),
    )
    process, processes = accelerator.process_index, accelerator.num_processes
    losses = config.recipe(config.stage).losses
    target: str = config.target
    if target == "given" and config.stage not in ("fine", "finer"):
        raise ValueError(f"target given: stage {config.stage} is given no depth; target is truth")
    batches = Batches(config, columns_for(losses, target), process, processes)
    validation = Validation(config, process, processes) if config.validation else None

    # The same network in every process, then other channels dropped in each.
    set_seed(config.seed)
    network = open_network(config).eval().requires_grad_(False).to(accelerator.device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs
    trained = trained_part(network, config.stage).train().requires_grad_(True)
    set_seed(config.seed, device_specific=True)
    if processes > 1 and config.shared_norms:
        share_batch_norms(trained, accelerator.device)
    average = None
    if config.ema:
        average_of = get_ema_multi_avg_fn(config.ema)
        average = AveragedModel(trained, multi_avg_fn=average_of, use_buffers=True)
    if config.compile:
        trained.compile()
    optimizer = make_optimizer(config, trained.parameters())
    model = StageTrainer(network, config.stage, trained, config.disturb)
    model, optimizer = accelerator.prepare(model, optimizer)
    checkpoints = Checkpoints(out / "checkpoints", config.keep, accelerator, average)
    state = checkpoints.resume() if config.resume else RunState()

    if accelerator.is_main_process:
        out.mkdir(parents=True, exist_ok=True)
        if not config.resume and checkpoints.all():
            raise ValueError(
                f"{out} holds checkpoints of another run; go on with --resume, or give another "
                "--out"
            )
        (out / "config.json").write_text(as_json(config))
    steps = batches.steps()
    if config.tracker != "none":
        accelerator.init_trackers("df2net_hub")
    _announce(config, accelerator, batches.length, steps)
    monitor = Monitor(accelerator, config, steps, state.step)
    run = StageRun(
        accelerator=accelerator,
        config=config,
        network=network,
        model=model,
        optimizer=optimizer,
        average=average,
        batches=batches,
        validation=validation,
        checkpoints=checkpoints,
        monitor=monitor,
        state=state,
        steps=steps,
    )
    try:
        with _stop_signals() as stop:
            run.loop(stop)
    finally:
        monitor.close()
        if config.tracker != "none":
            accelerator.end_training()
        accelerator.free_memory()
    return out / "model"


def _announce(config: StageConfig, accelerator: Any, pairs: int, steps: int) -> None:
    """Say what is trained and how many processes there really are."""
    logger.info(
        "stage %s: %d pairs, %d steps of %d photos at %d px; %d process(es) on %s, each %d part(s) "
        "of %d photos a step",
        config.stage,
        pairs,
        steps,
        config.batch,
        config.resolution,
        accelerator.num_processes,
        hardware_name(accelerator),
        config.accumulate,
        config.batch // (accelerator.num_processes * config.accumulate),
    )


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or Ctrl-C came; a second one ends the process at once."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread may listen
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def remember(number: int, frame: Any) -> None:
        came.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, remember)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
