"""The trainer: dense, fine, finer in turn, and AlbedoNet, on Accelerate.

DF2Net (ICCV 2019) Sec. 3.3 to 3.6.
"""

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from df2net_hub.albedo_losses import albedo_edge_loss, albedo_level_loss, albedo_loss
from df2net_hub.augment import augment_pair
from df2net_hub.losses import (
    depth_loss,
    erode,
    mask_loss,
    network_normals,
    normal_loss,
    shading_loss,
)
from df2net_hub.modeling.albedonet import AlbedoNet
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.pairs import decode_pair, open_pairs
from df2net_hub.registry import create_model
from df2net_hub.srgb import to_linear

logger = logging.getLogger(__name__)
STAGES = ("dense", "fine", "finer", "albedo")


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss; 0 leaves it out."""

    depth: float = 0.0
    normal: float = 0.0
    shading: float = 0.0
    mask: float = 0.0
    albedo: float = 0.0
    albedo_edge: float = 0.0
    albedo_level: float = 0.0


# The paper takes albedo from SfSNet; ours is trained one way whatever the recipe.
ALBEDO = LossWeights(albedo=1, albedo_edge=1, albedo_level=0.1)
# Sec. 3.3, 3.4 and 3.5. In `finer` the paper's truth is F-Net's own output.
PAPER = {
    "dense": LossWeights(depth=10, normal=0.1),
    "fine": LossWeights(depth=10, shading=0.1),
    "finer": LossWeights(depth=1, shading=100),
    "albedo": ALBEDO,
}
# Ours: the mask comes from the network, and rendered pairs know their true normals, so the two
# refining stages are held to them above all: what is wrong with the height of a whole face they
# cannot see. `finer` is compared with the truth, not F-Net's output.
OURS = {
    "dense": LossWeights(depth=10, normal=0.5, mask=1),
    "fine": LossWeights(depth=3, normal=5, shading=0.1),
    "finer": LossWeights(depth=3, normal=5, shading=0.1),
    "albedo": ALBEDO,
}
RECIPES = {"paper": PAPER, "ours": OURS}


@dataclass(frozen=True)
class TrainConfig:
    """All knobs of one run; every value is saved beside the weights."""

    stage: str = field(
        default="dense", metadata={"help": "dense, fine, finer or albedo; one a run"}
    )
    dataset: str = field(
        default="", metadata={"help": "folder of Parquet shards or dataset id on the hub"}
    )
    out: str = field(
        default="runs/df2net", metadata={"help": "folder for checkpoints, logs and weights"}
    )
    model: str = field(
        default="df2net_small",
        metadata={"help": "registered cascade (stage albedo: AlbedoNet), or a saved folder"},
    )
    recipe: str = field(default="ours", metadata={"help": "loss weights: paper or ours"})
    resolution: int = field(default=512, metadata={"help": "side of the crops trained on [px]"})
    batch: int = field(default=16, metadata={"help": "photos per step, over all processes"})
    epochs: float = field(default=10, metadata={"help": "passes over the data"})
    lr: float = field(default=1e-3, metadata={"help": "highest learning rate (AdamW)"})
    warmup: int = field(
        default=200, metadata={"help": "steps of linear warm-up; a cosine to 0 follows"}
    )
    ema: float = field(
        default=0.998, metadata={"help": "decay of the averaged weights that are exported"}
    )
    seed: int = field(default=0, metadata={"help": "of weights, order and augmentation"})
    workers: int = field(
        default=1, metadata={"help": "processes that load data, per training process"}
    )
    mixed_precision: str = field(default="no", metadata={"help": "no, fp16 or bf16"})
    compile: bool = field(default=False, metadata={"help": "torch.compile the trained stage"})
    save_every: int = field(default=500, metadata={"help": "steps between checkpoints"})
    resume: bool = field(
        default=False, metadata={"help": "go on from the newest checkpoint in out"}
    )

    def __post_init__(self) -> None:
        for name, known in (("stage", STAGES), ("recipe", tuple(RECIPES))):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}"
                )
        if not self.dataset:
            raise ValueError("no dataset given; `df2net synthesize` makes one: --dataset FOLDER")


class PairDataset(Dataset):
    """Augmented pairs at one resolution; the same for (seed, epoch, index) in any process."""

    def __init__(self, dataset: str, size: int, seed: int, with_albedo: bool = True) -> None:
        self.rows, self.size, self.seed, self.epoch = open_pairs(dataset), size, seed, 0
        # Decoding takes a third of the time of loading, so only what the losses read is decoded.
        used = {"image", "depth", "mask"} | ({"albedo"} if with_albedo else set())
        self.rows = self.rows.select_columns(sorted(used & set(self.rows.column_names)))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        pair = augment_pair(decode_pair(self.rows[index]), self.size, rng)
        return to_tensors(pair)


def to_tensors(pair: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Image (3,S,S) in [-1,1], depth, 0 off the face, and mask (1,S,S), albedo (3,S,S) in [0,1]."""
    tensors = {
        "image": torch.from_numpy(pair["image"]).permute(2, 0, 1).float() / 127.5 - 1,
        "depth": torch.from_numpy(np.nan_to_num(pair["depth"]))[None],
        "mask": torch.from_numpy(pair["mask"])[None],
    }
    if "albedo" in pair:
        tensors["albedo"] = torch.from_numpy(pair["albedo"]).permute(2, 0, 1).float() / 255
    return tensors


class StageTrainer(nn.Module):
    """Runs one trainable stage behind the fixed ones; `forward` gives its depth and mask logits.

    AlbedoNet has none before it and gives its albedo.
    """

    def __init__(self, network: DF2Net | AlbedoNet, stage: str) -> None:
        super().__init__()
        self.trained = getattr(network, stage) if isinstance(network, DF2Net) else network
        self.stage = stage
        # In a tuple, so that the fixed stages are no submodules: not optimized, averaged or saved.
        self.before = (network,)

    def forward(self, photo: Tensor) -> Tensor | tuple[Tensor, Tensor | None, Tensor | None]:
        """Depth (B,1,H,W), mask logits (B,1,H,W) or None, the depth given to the stage or None.

        Of AlbedoNet its albedo (B,3,H,W).
        """
        cascade = self.before[0]
        if isinstance(cascade, AlbedoNet):
            return self.trained(photo)
        if self.stage == "dense":
            maps = self.trained(photo)
            return maps[:, :1], maps[:, 1:2] if maps.shape[1] > 1 else None, None
        with torch.no_grad():
            dense, _ = cascade.see(photo)
            given = dense if self.stage == "fine" else cascade.fine(photo, dense)
        refined = self.trained(photo, given)
        if self.stage == "fine":
            return refined, None, given
        return cascade.join(dense, given, refined), None, given


def albedo_losses(
    weights: LossWeights, batch: dict[str, Tensor], albedo: Tensor
) -> dict[str, Tensor]:
    """The weighted parts of AlbedoNet's loss, in linear light."""
    if "albedo" not in batch:
        raise ValueError("stage 'albedo' needs the column 'albedo'; this set has none")
    given = to_linear(albedo), to_linear(batch["albedo"]), batch["mask"]
    return {
        "albedo": weights.albedo * albedo_loss(*given),
        "edge": weights.albedo_edge * albedo_edge_loss(*given),
        "level": weights.albedo_level * albedo_level_loss(*given),
    }


def stage_losses(
    weights: LossWeights, recipe: str, stage: str, batch: dict[str, Tensor], output: Any
) -> dict[str, Tensor]:
    """The weighted parts of one stage's loss."""
    if stage == "albedo":
        return albedo_losses(weights, batch, output)
    depth, mask_logits, given = output
    mask, target = batch["mask"], batch["depth"]
    if recipe == "paper" and stage == "finer":
        target = given  # Sec. 3.5: the output of F-Net stands in for the truth
    parts = {"depth": weights.depth * depth_loss(depth, target, mask)}
    if weights.normal or weights.shading:
        inner, normals, target_normals = (
            erode(mask),
            network_normals(depth),
            network_normals(target),
        )
    if weights.normal:
        parts["normal"] = weights.normal * normal_loss(normals, target_normals, inner)
    if weights.shading:
        if "albedo" not in batch:
            raise ValueError(
                f"stage {stage!r} needs the column 'albedo' for L_sh (Eq. 5); this set has none"
            )
        image, albedo = to_linear((batch["image"] + 1) / 2), to_linear(batch["albedo"])
        parts["shading"] = weights.shading * shading_loss(
            image, albedo, normals, target_normals, inner
        )
    if weights.mask and mask_logits is not None:
        parts["mask"] = weights.mask * mask_loss(mask_logits, mask)
    return parts


def cosine_with_warmup(steps: int, warmup: int) -> Callable[[int], float]:
    """Factor on the learning rate at each step."""

    def factor(step: int) -> float:
        rise = min(1.0, (step + 1) / max(warmup, 1))
        return rise * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))

    return factor


def train(config: TrainConfig) -> Path:
    """Train one stage and export its network; returns the exported folder.

    Raises:
        ValueError: a column that the stage's losses need is missing, or the loss is not finite.
        FileNotFoundError: no shards, no such model folder, or nothing to resume from.
    """
    from accelerate import Accelerator
    from accelerate.utils import DataLoaderConfiguration, ProjectConfiguration, set_seed
    from tqdm import tqdm

    out = Path(config.out)
    project = ProjectConfiguration(str(out), automatic_checkpoint_naming=True, total_limit=2)
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision,
        project_config=project,
        # The order of an epoch depends on (seed, epoch) alone, so a resumed run sees the same.
        dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True, data_seed=config.seed),
    )
    set_seed(config.seed)
    weights = RECIPES[config.recipe][config.stage]
    with_albedo = bool(weights.shading or weights.albedo)
    data = PairDataset(config.dataset, config.resolution, config.seed, with_albedo)
    per_process = max(config.batch // accelerator.num_processes, 1)
    loader = DataLoader(data, per_process, shuffle=True, drop_last=True, num_workers=config.workers)
    if not len(loader):
        raise ValueError(f"{len(data)} pairs do not fill one batch of {per_process}")
    network = _network(config).eval().requires_grad_(False).to(accelerator.device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs
    model = StageTrainer(network, config.stage)
    model.trained.train().requires_grad_(True)
    average = AveragedModel(
        model.trained, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=True
    )
    if config.compile:
        model.trained.compile()
    optimizer = torch.optim.AdamW(model.trained.parameters(), config.lr, weight_decay=1e-4)
    loader = accelerator.prepare(loader)
    steps = max(int(config.epochs * len(loader)), 1)
    schedule = LambdaLR(optimizer, cosine_with_warmup(steps, config.warmup))
    model, optimizer = accelerator.prepare(model, optimizer)
    accelerator.register_for_checkpointing(schedule, average)
    step = _resume(accelerator, out, schedule) if config.resume else 0
    if accelerator.is_main_process:
        out.mkdir(parents=True, exist_ok=True)
        (out / "config.json").write_text(json.dumps(asdict(config), indent=2))
    bar = tqdm(total=steps, initial=step, disable=not accelerator.is_main_process, mininterval=10)
    while step < steps:
        data.epoch, skip = divmod(step, len(loader))
        loader.set_epoch(data.epoch)
        for batch in accelerator.skip_first_batches(loader, skip) if skip else loader:
            photo = batch["image"].contiguous(memory_format=torch.channels_last)
            with accelerator.autocast():
                output = model(photo)
            parts = stage_losses(weights, config.recipe, config.stage, batch, output)
            loss = torch.stack(list(parts.values())).sum()
            if not torch.isfinite(loss):
                shown = {name: part.item() for name, part in parts.items()}
                raise ValueError(
                    f"loss is not finite at step {step}: {shown}; lower --lr or resume earlier"
                )
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            average.update_parameters(accelerator.unwrap_model(model).trained)
            step += 1
            bar.update()
            if (step % 20 == 0 or step == 1) and accelerator.is_main_process:
                _log(out, step, parts, schedule, bar)
            if step % config.save_every == 0 and step < steps:
                accelerator.save_state()
                if accelerator.is_main_process:
                    _export(network, average, config, out)
            if step >= steps:
                break
    bar.close()
    if accelerator.is_main_process:
        _export(network, average, config, out)
    accelerator.wait_for_everyone()
    return out / "model"


def _network(config: TrainConfig) -> DF2Net | AlbedoNet:
    """What `config.model` names: an AlbedoNet for the stage albedo, else a cascade."""
    kind = AlbedoNet if config.stage == "albedo" else DF2Net
    is_folder = Path(config.model).is_dir()
    network = kind.from_folder(config.model) if is_folder else create_model(config.model)
    if not isinstance(network, kind):
        wanted = "albedonet_small" if config.stage == "albedo" else "df2net_small"
        raise ValueError(
            f"stage {config.stage!r} trains {kind.__name__}, such as --model {wanted}; "
            f"{config.model!r} is {type(network).__name__}"
        )
    return network


def _log(out: Path, step: int, parts: dict[str, Tensor], schedule: LambdaLR, bar: Any) -> None:
    values = {name: round(part.item(), 5) for name, part in parts.items()}
    bar.set_postfix(values)
    line = {"step": step, "time": round(time.time(), 1), "lr": schedule.get_last_lr()[0], **values}
    with open(out / "log.jsonl", "a") as log:
        log.write(json.dumps(line) + "\n")


def _resume(accelerator: Any, out: Path, schedule: LambdaLR) -> int:
    checkpoints = sorted(
        (out / "checkpoints").glob("checkpoint_*"), key=lambda p: int(p.name.split("_")[-1])
    )
    if not checkpoints:
        raise FileNotFoundError(
            f"{out} holds no checkpoint to resume from; leave out --resume to begin"
        )
    accelerator.load_state(str(checkpoints[-1]))
    accelerator.project_configuration.iteration = int(checkpoints[-1].name.split("_")[-1]) + 1
    return schedule.last_epoch


def _export(
    network: DF2Net | AlbedoNet, average: AveragedModel, config: TrainConfig, out: Path
) -> None:
    """Write the network with the trained part's averaged weights in place of the current ones."""
    trained = getattr(network, config.stage) if isinstance(network, DF2Net) else network
    current = {name: value.clone() for name, value in trained.state_dict().items()}
    trained.load_state_dict(average.module.state_dict())
    if isinstance(network, DF2Net):
        network.to_folder(out / "model")
    else:
        network.save_pretrained(out / "model")
    trained.load_state_dict(current)
