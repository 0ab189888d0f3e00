"""A trained network as the folder that a pipeline loads, with a card written from the run."""

import json
import platform
import shlex
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import df2net_hub
from df2net_hub.model_card import CardPart, TrainingRecord, pipeline_card
from df2net_hub.modeling.albedonet import AlbedoNet
from df2net_hub.modeling.cascade import SLOTS
from df2net_hub.registry import name_of
from df2net_hub.training.checkpoints import RunState
from df2net_hub.training.config import StageConfig
from df2net_hub.training.objectives import used_terms
from df2net_hub.training.rows import RENDER
from df2net_hub.training.stage import Network, trained_part

ERRORS = {
    "depth_px": ("depth error", "px of a 512 crop"),
    "normal_deg": ("error of normals", "deg"),
    "loss": ("loss", ""),
}


def export(
    network: Network,
    weights: dict[str, Tensor],
    folder: Path,
    record: TrainingRecord,
    stage: str,
) -> None:
    """Write `network` with `weights` in its trained part, and its card."""
    exported = deepcopy(network)
    trained_part(exported, stage).load_state_dict(weights)
    if isinstance(exported, AlbedoNet):
        exported.save_pretrained(folder, model_card_kwargs={"training": record})
    else:
        exported.to_folder(folder)
        parts = [
            CardPart(slot, name_of(one), sum(values.numel() for values in one.parameters()))
            for slot, one in ((slot, getattr(exported, slot)) for slot in SLOTS)
        ]
        pipeline_card(parts, record).save(folder / "README.md")
    record.write(folder)


def run_record(
    config: StageConfig,
    rows: int,
    steps: int,
    state: RunState,
    errors: dict[str, float] | None,
    hardware: str,
) -> TrainingRecord:
    """What a run knows of itself, after what its model's folder tells of the stages before."""
    before = TrainingRecord.read(config.model)
    recipe = " ".join(filter(None, (before.recipe, _sentence(config, rows, steps, state))))
    times = [before.duration, f"{config.stage}: {state.seconds / 60:.0f} minutes"]
    accuracy = {
        f"validation pairs ({config.validation}): {config.stage}, mean {ERRORS[name][0]}": (
            f"{value:.2f} {ERRORS[name][1]}".strip()
        )
        for name, value in (errors or {}).items()
    }
    data = [*(before.data or ()), *(_data_line(name) for name in config.dataset)]
    return replace(
        before,
        origin="df2net_hub",
        data=tuple(dict.fromkeys(data)),
        recipe=recipe,
        command="\n".join(filter(None, (before.command, _command()))),
        code=f"df2net_hub {df2net_hub.__version__}",
        seed=config.seed,
        hardware=hardware,
        duration="; ".join(filter(None, times)),
        accuracy=(before.accuracy or {}) | accuracy or None,
    )


def _sentence(config: StageConfig, rows: int, steps: int, state: RunState) -> str:
    losses = used_terms(config.recipe(config.stage).losses)
    shown = ", ".join(f"{name} {weight:g}" for name, weight in losses.items())
    skipped = f", {state.skipped} steps skipped as not finite" if state.skipped else ""
    average = f", averaged weights ({config.ema})" if config.ema else ""
    return (
        f"Stage {config.stage}, preset `{config.preset}`: {state.step} of {steps} steps of "
        f"{config.batch} photos at {config.resolution} px from {rows} pairs, {config.optimizer}, "
        f"learning rate {config.lr:g} ({config.schedule}){average}; losses {shown}{skipped}."
    )


def _data_line(dataset: str) -> str:
    """A set's name and what its card says of it."""
    if dataset.startswith(RENDER):
        assets = dataset.removeprefix(RENDER)
        source = f"ingredients of {assets}" if assets else "the procedural head"
        return f"Rendered during training from {source}"
    card = Path(dataset) / "README.md"
    if not card.is_file():
        where = "no card, license not stated" if card.parent.is_dir() else "see its card on the hub"
        return f"{dataset}: {where}"
    from huggingface_hub import DatasetCard

    facts = DatasetCard(card.read_text(encoding="utf-8"), ignore_metadata_errors=True).data
    return f"{facts.get('pretty_name') or dataset}: license {facts.get('license') or 'not stated'}"


def _command() -> str:
    return shlex.join(["python", *sys.argv])


def hardware_name(accelerator: Any) -> str:
    """Such as "2 x NVIDIA H100, bf16"."""
    kind = (
        torch.cuda.get_device_name(accelerator.device)
        if accelerator.device.type == "cuda"
        else f"{platform.processor() or platform.machine()} CPU, {torch.get_num_threads()} threads"
    )
    precision = "float32" if accelerator.mixed_precision == "no" else accelerator.mixed_precision
    return f"{accelerator.num_processes} x {kind}, {precision}"


def save_whole(path: Path, values: dict[str, Any]) -> None:
    """Write JSON aside, then put it in its place."""
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(values, indent=2))
    aside.replace(path)
