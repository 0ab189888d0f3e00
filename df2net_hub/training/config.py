"""All knobs of a training run, one flat dataclass; from flags and a TOML file, see `parse`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from df2net_hub.pairs import SOURCES
from df2net_hub.training.presets import (
    ALBEDO_STAGE,
    OPTIMIZERS,
    PRESETS,
    SCHEDULES,
    STAGES,
    LossWeights,
    Recipe,
)

TRACKERS = ("tensorboard", "wandb", "trackio", "none")
PRECISIONS = ("", "no", "fp16", "bf16")
AT_LEAST_ONE = (
    "batch",
    "accumulate",
    "resolution",
    "log_every",
    "save_every",
    "keep",
    "validate_every",
    "validation_pairs",
    "rendered_pairs",
)
# What `TrainConfig` takes from the preset where it is None.
FROM_PRESET = (
    "batch",
    "optimizer",
    "schedule",
    "epochs",
    "lr",
    "warmup",
    "resolution",
    "window",
    "ema",
    "clip",
    "precise_norms",
    "target",
    "kinds",
)


def _knob(help: str, default: Any = None) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """All knobs of one run; every value is saved beside the weights. None: the preset decides."""

    stage: str = _knob("dense, fine, finer, all three in turn, or albedo (AlbedoNet)", "all")
    dataset: tuple[str, ...] = _knob(
        "sets of pairs: folders of Parquet shards, dataset ids on the hub, or render: for the "
        "procedural head and render:DATA for a morphable one, drawn anew for every step",
        (),
    )
    mix: tuple[float, ...] = _knob("share of each set; none: every row once an epoch", ())
    kinds: tuple[str, ...] | None = _knob(f"rows to train on: {', '.join(SOURCES)}")
    validation: str = _knob("set of pairs that is measured and never trained on", "")
    validation_pairs: int = _knob("how many of its pairs are measured", 100)
    streaming: bool = _knob("read shards as they come instead of copying them to the cache", False)
    rendered_pairs: int = _knob("pairs of render: that count as an epoch", 20_000)
    out: str = _knob("folder for checkpoints, logs and weights", "runs/df2net")
    model: str = _knob("registered cascade (stage albedo: AlbedoNet), or a folder", "df2net_base")
    network: str = _knob("registered network to train in place of the cascade's; one stage", "")
    network_config: str = _knob('changes of its config, as JSON: {"width": 16}', "{}")
    preset: str = _knob("paper: Sec. 3.3 to 3.6 to the letter; ours", "paper")
    losses: tuple[str, ...] = _knob("changes of the preset's weights: depth=10 normal=0.5", ())
    target: str | None = _knob("depth and normals to come near to: truth, or given to the stage")
    resolution: int | None = _knob("side of the crops trained on [px]")
    window: int | None = _knob(
        "side of the part of each crop, somewhere on the face, that a refining stage is trained "
        "on [px], a multiple of 4; 0: the whole crop"
    )
    disturb: float = _knob(
        "how strongly random relief and a tilt disturb the depth given to a refining stage, so "
        "that it is not taken for granted; 0: not at all",
        0.0,
    )
    batch: int | None = _knob("photos per step, over all processes and parts")
    accumulate: int = _knob("parts a batch is computed in, to need less memory", 1)
    epochs: float | None = _knob("passes over the data")
    lr: float | None = _knob("highest learning rate")
    optimizer: str | None = _knob(f"{' or '.join(OPTIMIZERS)}")
    schedule: str | None = _knob("of the learning rate: steps (/10 at epochs 8 and 9) or cosine")
    warmup: int | None = _knob("steps of linear warm-up")
    ema: float | None = _knob("decay of the averaged weights that are exported; 0: no average")
    clip: float | None = _knob("largest norm of the gradient; 0: any")
    precise_norms: int | None = _knob(
        "photos, not altered, whose batch statistics the finished network gets; 0: those that it "
        "gathered in training"
    )
    seed: int = _knob("of weights, order and augmentation", 0)
    augment: bool = _knob("mirror, turn, zoom, shift, alter the photo", True)
    workers: int = _knob("processes that load data, per training process", 1)
    shared_norms: bool = _knob(
        "batch statistics over the photos of all processes, so that several train as one would; "
        "without, each takes its own, which is faster and enough from 16 photos a process",
        True,
    )
    mixed_precision: str = _knob("no, fp16 or bf16; none given: as accelerate is told", "")
    compile: bool = _knob("torch.compile the trained stage", False)
    log_every: int = _knob("steps between lines of the log", 20)
    save_every: int = _knob("steps between checkpoints", 500)
    keep: int = _knob("checkpoints that are kept", 2)
    validate_every: int = _knob("steps between validations", 500)
    picture_every: int = _knob("steps between pictures of what is learned; 0: none", 500)
    nan: str = _knob("if a loss or gradient is not finite: stop, or skip the step", "stop")
    tracker: str = _knob(", ".join(TRACKERS), "tensorboard")
    resume: bool = _knob("go on from the newest checkpoint in out", False)
    # Values for single stages of `--stage all`: {"fine": {"batch": 4}}. Tables of the TOML file.
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in _types().items():
            value = getattr(self, name)
            if get_origin(kind) is tuple and isinstance(value, str | list):
                object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        for name, known in (
            ("stage", (*STAGES, "all", ALBEDO_STAGE)),
            ("preset", tuple(PRESETS)),
            ("optimizer", (None, *OPTIMIZERS)),
            ("schedule", (None, *SCHEDULES)),
            ("target", (None, "truth", "given")),
            ("mixed_precision", PRECISIONS),
            ("nan", ("stop", "skip")),
            ("tracker", TRACKERS),
        ):
            if getattr(self, name) not in known:
                shown = ", ".join(str(value) for value in known if value)
                raise ValueError(f"{name} must be one of {shown}, got {getattr(self, name)!r}")
        if not self.dataset:
            raise ValueError("no dataset given; `df2net synthesize` makes one: --dataset FOLDER")
        if self.mix and (len(self.mix) != len(self.dataset) or min(self.mix) <= 0):
            raise ValueError(
                f"mix is one share above 0 for each of the {len(self.dataset)} sets, got {self.mix}"
            )
        for kind in self.kinds or ():
            if kind not in SOURCES:
                raise ValueError(f"kinds are {', '.join(SOURCES)}, got {kind!r}")
        for name in AT_LEAST_ONE:
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        for name in ("picture_every", "precise_norms", "seed", "warmup", "workers"):
            if getattr(self, name) is not None and getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        for name in ("epochs", "lr"):
            if getattr(self, name) is not None and not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a number above 0, got {getattr(self, name)}")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ValueError(f"ema must be from 0 to below 1, got {self.ema}")
        if self.clip is not None and not self.clip >= 0:
            raise ValueError(f"clip must be 0 or more, got {self.clip}")
        if self.window is not None and (self.window < 0 or self.window % 4):
            raise ValueError(f"window must be a multiple of 4, or 0 for none, got {self.window}")
        if not 0 <= self.disturb < float("inf"):
            raise ValueError(f"disturb must be a number from 0 on, got {self.disturb}")
        if self.network and self.stage == "all":
            raise ValueError("network replaces one stage's network; give its --stage, not all")
        LossWeights.parse(self.losses)
        for stage, values in self.overrides.items():
            if stage not in (*STAGES, ALBEDO_STAGE):
                raise ValueError(f"no stage is named {stage!r}; a table is one of dense, fine, ...")
            _require_known(values, f"table [{stage}]")

    def stages(self) -> tuple[str, ...]:
        """The stages to train, in order."""
        return STAGES if self.stage == "all" else (self.stage,)

    def for_stage(self, stage: str) -> "StageConfig":
        """The config of one stage: its table's values, then the preset's for what is None."""
        own = replace(self, stage=stage, overrides={}, **self.overrides.get(stage, {}))
        recipe = own.recipe(stage)
        values = {one.name: getattr(own, one.name) for one in fields(TrainConfig)}
        from_preset = {name: getattr(recipe, name) for name in FROM_PRESET if values[name] is None}
        return StageConfig(**(values | from_preset))

    def recipe(self, stage: str) -> Recipe:
        """The preset's recipe of a stage, with the loss weights changed as `losses` says."""
        recipe = PRESETS[self.preset][stage]
        weights = replace(recipe.losses, **LossWeights.parse(self.losses))
        return replace(recipe, losses=weights)


@dataclass(frozen=True)
class StageConfig(TrainConfig):
    """All knobs of one stage, none left open."""

    kinds: tuple[str, ...] = SOURCES
    target: str = "truth"
    resolution: int = 512
    window: int = 0
    batch: int = 64
    epochs: float = 10.0
    lr: float = 1e-3
    optimizer: str = "sgd"
    schedule: str = "steps"
    warmup: int = 0
    ema: float = 0.0
    clip: float = 0.0
    precise_norms: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} is no multiple of accumulate {self.accumulate}")
        if self.window and self.stage not in ("fine", "finer"):
            raise ValueError(
                f"window is for the refining stages, fine and finer; stage {self.stage} needs the "
                "whole face. For --stage all, give it in the tables [fine] and [finer]."
            )
        if self.disturb and self.stage not in ("fine", "finer"):
            raise ValueError(
                f"disturb is for the refining stages, fine and finer; stage {self.stage} is given "
                "no depth. For --stage all, give it in the tables [fine] and [finer]."
            )
        if self.disturb and self.target == "given":
            raise ValueError(
                "disturb changes the depth given to the stage, which target given compares with: "
                "the disturbance would be the truth. Leave out disturb, or give --target truth."
            )
        if self.window and self.recipe(self.stage).losses.released_shading:
            raise ValueError(
                "released_shading looks from the middle of the whole crop and knows no windows; "
                "leave out window"
            )


def parse(argv: Sequence[str] | None = None, description: str | None = None) -> TrainConfig:
    """The config of a command line: flags, over the tables and values of `--config FILE.toml`.

    A flag is the name of a field, and counts for every stage; booleans are `--flag`, `--no-flag`.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config", metavar="FILE.toml", help="values by these names; flags come before it"
    )
    types = _types()
    for one in fields(TrainConfig):
        if one.name == "overrides":
            continue
        kind, flag = types[one.name], f"--{one.name.replace('_', '-')}"
        default = "the preset's" if one.default is None else one.default
        if isinstance(default, tuple):
            default = " ".join(map(str, default))
        default = "none" if default == "" else default
        shown = f"{one.metadata['help']} (default: {default})".replace("%", "%%")
        options: dict[str, Any] = {"type": kind}
        if kind is bool:
            options = {"action": argparse.BooleanOptionalAction}
        elif get_origin(kind) is tuple:
            options = {"type": get_args(kind)[0], "nargs": "+"}
        parser.add_argument(flag, default=argparse.SUPPRESS, help=shown, **options)
    flags = vars(parser.parse_args(argv))
    try:
        return _merged(flags.pop("config", None), flags)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))


def _merged(path: str | None, flags: dict[str, Any]) -> TrainConfig:
    values = {} if path is None else _read(Path(path))
    tables = {name: value for name, value in values.items() if isinstance(value, dict)}
    values = {name: value for name, value in values.items() if name not in tables}
    overrides = {
        stage: {name: value for name, value in table.items() if name not in flags}
        for stage, table in tables.items()
    }
    return TrainConfig(**{**values, **flags}, overrides=overrides)


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    _require_known({name: v for name, v in values.items() if not isinstance(v, dict)}, str(path))
    return values


def _require_known(values: dict[str, Any], where: str) -> None:
    known = [one.name for one in fields(TrainConfig) if one.name != "overrides"]
    for name in values:
        if name not in known:
            raise ValueError(f"{where}: unknown value {name!r}; known: {', '.join(known)}")


def _types() -> dict[str, Any]:
    """Type of each field, without its "or None"."""
    kinds = {}
    for name, kind in get_type_hints(TrainConfig).items():
        choices = [choice for choice in get_args(kind) if choice is not type(None)]
        kinds[name] = choices[0] if type(None) in get_args(kind) else kind
    return kinds


def as_json(config: TrainConfig) -> str:
    """The config as the `config.json` that is saved with a run."""
    return json.dumps({one.name: getattr(config, one.name) for one in fields(config)}, indent=2)
