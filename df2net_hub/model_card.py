"""Model cards: what a folder of weights is, where it comes from and what was measured on it.

A card is written from a `TrainingRecord`, which lies as `training.json` beside the weights. A fact
that the record does not hold is stated as "not recorded"; nothing is filled in from anywhere else.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from string import Template

from huggingface_hub import ModelCard, ModelCardData

RECORD_FILE = "training.json"
NOT_RECORDED = "not recorded"

ORIGINS = {
    "df2net_hub": "These weights were trained with df2net_hub. "
    "They are **not** the weights that the authors of the paper released.",
    "authors": "These weights were converted from the checkpoint that the authors of the paper "
    "released. It has no license: ask the authors before you publish these weights.",
    "random": "These weights are **untrained**: they are random numbers.",
}


@dataclass(frozen=True)
class TrainingRecord:
    """What is known about how weights came to be; None is a fact that nobody wrote down."""

    origin: str | None = None  # a key of ORIGINS
    data: tuple[str, ...] | None = None  # one line per source: what it is, its holder, its license
    recipe: str | None = None  # the losses, schedule and sizes, in a few sentences
    command: str | None = None  # what to type to train them again
    code: str | None = None  # the commit of df2net_hub that trained them
    seed: int | None = None
    hardware: str | None = None
    duration: str | None = None  # with its unit
    accuracy: dict[str, str] | None = None  # what was measured on what -> the value with its unit
    failures: tuple[str, ...] | None = None  # one line per known weakness

    def __post_init__(self) -> None:
        if self.origin is not None and self.origin not in ORIGINS:
            known = ", ".join(ORIGINS)
            raise ValueError(f"TrainingRecord.origin must be one of {known}, got {self.origin!r}")
        for name in ("data", "failures"):  # JSON gives lists back
            lines = getattr(self, name)
            if isinstance(lines, str):
                raise ValueError(f"TrainingRecord.{name} is a list of lines, got {lines!r}")
            if lines is not None:
                object.__setattr__(self, name, tuple(lines))

    @classmethod
    def read(cls, folder: str | Path) -> "TrainingRecord":
        """Read `folder`/training.json; a folder without that file gives the empty record."""
        path = Path(folder) / RECORD_FILE
        if not path.is_file():
            return cls()
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is not JSON: {error}. Restore or delete the file.") from error
        known = [field.name for field in fields(cls)]
        for key in facts:
            if key not in known:
                raise ValueError(f"{path}: unknown key {key!r}; known keys: {', '.join(known)}")
        return cls(**facts)

    def write(self, folder: str | Path) -> None:
        """Write the facts that are known as `folder`/training.json."""
        facts = {key: value for key, value in asdict(self).items() if value is not None}
        text = json.dumps(facts, indent=2, ensure_ascii=False)
        (Path(folder) / RECORD_FILE).write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True)
class CardPart:
    """One network of the card's table."""

    slot: str  # "dense", "fine", "finer" or "albedo"
    name: str  # the registered name
    parameters: int


PIPELINE_TEMPLATE = Template("""\
# DF2Net: a detailed 3D face from one photograph

$origin

A cascade of three networks after Zeng, Peng, Qiao: "DF2Net: A Dense-Fine-Finer Network for
Detailed 3D Face Reconstruction" (ICCV 2019): a dense depth map, refined twice. Input: a square
crop around one face, 512 x 512, RGB. Output: height toward the camera, 1 network unit = 127.5 px
of that crop; nearer is larger.

```python
from df2net_hub import DF2NetPipeline

pipe = DF2NetPipeline.from_pretrained("OWNER/NAME")  # or the folder that holds this file
result = pipe("portrait.jpg")
for number, face in enumerate(result.faces):
    face.save("out", stem=f"portrait_{number}")
```

$body
## Limits

Meant for research and for making pictures and models of faces. The depth has no absolute size:
lengths in millimeters rest on an assumed distance between the eyes. It is no measurement of a
person, and not fit for identifying people or for medical use.

$failures
""")

STAGE_TEMPLATE = Template("""\
# $title

$origin

One of the three networks of DF2Net (ICCV 2019). It loads with
`create_model("$name").__class__.from_pretrained("OWNER/NAME")` from `df2net_hub.registry`, or as
part of a whole pipeline with `DF2NetPipeline.from_pretrained`.

$body
## Known failures

$failures
""")


ALBEDO_TEMPLATE = Template("""\
# $title

$origin

Photo to albedo: the color of a face without the light on it, which the shading losses of DF2Net
(ICCV 2019) need; the paper takes it from SfSNet. Input: a square crop around one face, RGB in
[-1,1]. Output: albedo in [0,1], sRGB-like, at the photo's size; it means something on the face
only, and its overall level and tint are a guess, because no photo tells them.

```python
from df2net_hub.modeling.albedonet import AlbedoNet

net = AlbedoNet.from_pretrained("OWNER/NAME")  # a folder, or nothing: the bundled weights
albedo, light = net.split(photo)  # (B,3,H,W) each; net(photo) is the albedo alone
```

$body
## Known failures

$failures
""")


def pipeline_card(parts: Sequence[CardPart], training: TrainingRecord) -> ModelCard:
    """The card of a whole pipeline: three networks in one folder."""
    text = PIPELINE_TEMPLATE.substitute(
        origin=_origin(training),
        body=_body(parts, training),
        failures="Known failures:\n\n" + _bullets(training.failures),
    )
    return _card(text, training)


def stage_card(part: CardPart, training: TrainingRecord | None = None) -> ModelCard:
    """The card of one network in a folder of its own."""
    training = training or TrainingRecord()
    is_albedo = part.slot == "albedo"
    role = "albedo of faces" if is_albedo else f"the {part.slot} network of a DF2Net cascade"
    text = (ALBEDO_TEMPLATE if is_albedo else STAGE_TEMPLATE).substitute(
        title=f"{part.name}: {role}",
        name=part.name,
        origin=_origin(training),
        body=_body([part], training),
        failures=_bullets(training.failures),
    )
    if is_albedo:
        return _card(text, training, "image-to-image", ["intrinsic-decomposition", "albedo"])
    return _card(text, training)


def _card(
    text: str,
    training: TrainingRecord,
    task: str = "image-to-3d",
    tags: Sequence[str] = ("3d-face-reconstruction", "depth-estimation"),
) -> ModelCard:
    data = ModelCardData(
        license="other" if training.origin == "authors" else "apache-2.0",
        library_name="df2net_hub",
        pipeline_tag=task,
        tags=[*tags, "df2net", "face"],
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}")


def _body(parts: Sequence[CardPart], training: TrainingRecord) -> str:
    rows = [f"| {part.slot} | `{part.name}` | {part.parameters:,} |" for part in parts]
    networks = "\n".join(["| stage | network | parameters |", "|---|---|---|", *rows])
    seed = NOT_RECORDED if training.seed is None else str(training.seed)
    return f"""\
## Networks

{networks}

## Training

{training.recipe or f"Recipe: {NOT_RECORDED}."}

- Seed: {seed}
- Hardware: {training.hardware or NOT_RECORDED}
- Time: {training.duration or NOT_RECORDED}
- Code: {training.code or NOT_RECORDED}

Command: {_command(training.command)}

Data and licenses:

{_bullets(training.data)}

## Measured accuracy

{_accuracy(training.accuracy)}
"""


def _origin(training: TrainingRecord) -> str:
    if training.origin is None:
        return f"Where these weights come from is {NOT_RECORDED}."
    return ORIGINS[training.origin]


def _command(command: str | None) -> str:
    return f"{NOT_RECORDED}." if command is None else f"\n\n```sh\n{command}\n```"


def _bullets(lines: tuple[str, ...] | None) -> str:
    return "\n".join(f"- {line}" for line in lines or (NOT_RECORDED,))


def _accuracy(accuracy: dict[str, str] | None) -> str:
    if not accuracy:
        return f"Accuracy: {NOT_RECORDED}."
    rows = [f"| {what} | {value} |" for what, value in accuracy.items()]
    return "\n".join(["| measured | value |", "|---|---|", *rows])
