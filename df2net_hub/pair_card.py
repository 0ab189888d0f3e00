"""The dataset card of a folder of pairs, and how the folder gets to the Hugging Face Hub.

The card is written from what lies in the folder: shards, reasons of rejection and manifests. What
they do not say the card states as not stated.
"""

import json
from pathlib import Path
from string import Template
from typing import Any

import cv2
from huggingface_hub import DatasetCard, DatasetCardData, HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import validate_repo_id

from df2net_hub.contact_sheet import SAMPLES, contact_sheet, pick_rows
from df2net_hub.set_contents import KNOWN, SetContents, read_sets
from df2net_hub.set_manifest import replace_file
from df2net_hub.shards import missing_shards

CARD, SHEET = "README.md", "contact_sheet.jpg"
NOT_STATED = "not stated"
TEACHER = "teacher"  # `made_by` of the pairs that our own pipeline reconstructed
SOURCES = {
    "morphable": "rendered from a morphable head model, everything known exactly",
    "reconstructed": "photos with a depth that another method reconstructed",
    "fine": "photos rich in detail, without depth",
}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

TEMPLATE = Template("""\
# $title

Training pairs for detailed 3D face reconstruction in the form of the three kinds of data of
Zeng, Peng, Qiao: "DF2Net: A Dense-Fine-Finer Network for Detailed 3D Face Reconstruction" (ICCV
2019, Sec. 3.2). Made with df2net_hub; it is not the data that the authors of the paper used.

$kinds

![samples](contact_sheet.jpg)

## How to load it

```python
import numpy as np
from datasets import load_dataset

pairs = load_dataset("OWNER/NAME", split="train", streaming=True)  # or the folder of this file
for row in pairs.take(3):
    photo, mask = np.asarray(row["image"]), np.asarray(row["mask"]) > 127
    if row["depth"] is not None:  # rows of source "fine" have none
        value = np.asarray(row["depth"]).astype(np.float32)  # 16 bits, 0 is "no face here"
        height_px = np.where(value > 0, (value - 32768) / 128, np.nan)
        print(row["id"], row["source"], photo.shape, np.nanmin(height_px), np.nanmax(height_px))
```

With `df2net_hub` installed, `df2net_hub.pairs.open_pairs` and `decode_pair` do the same, and
`accelerate launch scripts/train.py --dataset OWNER/NAME` trains from it.

## What is in it

$counts

$rejected

## Columns

| column | meaning |
|---|---|
| `id`, `identity` | names the sample, unique in its set; names the person or head |
| `source` | `morphable`, `reconstructed` or `fine` |
| `image` | photo, S x S, sRGB JPEG |
| `depth` | 16-bit PNG: 0 is "no face here", else (value - 32768) / 128 is the height toward the camera [px of a 512 crop], relative to the mean over the mask; nearer = larger |
| `mask` | PNG, 255 where the face is visible |
| `albedo` | sRGB JPEG, the surface without light |
| `normals` | 8-bit RGB PNG, (n + 1) / 2 * 255; x right, y up, z toward the camera; 0 off the face |
| `light` | 3 x 9 spherical-harmonic coefficients per color channel, in the order 1, z, x, y, 2z²-x²-y², xz, yz, x²-y², xy, Lambertian attenuation included |
| `landmarks` | 68 x 2, x and y [px], hidden ones included |
| `camera` | `yaw`, `pitch`, `roll` [deg] (positive: nose to the picture's right, up, picture turned counterclockwise); `mm_per_px` of a 512 crop; `distance_mm` of the lens, null for weak perspective |
| `traits` | `age` 0 to 1, `skin`, `mood` |
| `scores` | of photos: `detail`, `sharpness`, `flip_px` |

Null is "not known".

## How it was made

$recipes

## License

$license
""")  # noqa: E501
# The Hub's errors, and those of the connection: of httpx or of requests, whichever it is built on.
UPLOAD_ERRORS: tuple[type[Exception], ...] = (HfHubHTTPError.__bases__[0], OSError)


def finish_set(folder: str | Path) -> None:
    """Write README.md and contact_sheet.jpg of all sets in `folder`, from what is there.

    Raises:
        FileNotFoundError: there are no shards.
        ValueError: a shard, manifest or list of reasons is damaged.
    """
    folder = Path(folder)
    sets = read_sets(folder)
    samples = max(1, SAMPLES // len(sets))
    rows = [row for one in sets for row in pick_rows(one.shards, samples)]
    options = [cv2.IMWRITE_JPEG_QUALITY, 90]
    sheet = cv2.imencode(".jpg", contact_sheet(rows)[..., ::-1], options)[1].tobytes()
    replace_file(folder / SHEET, sheet, "card")
    replace_file(folder / CARD, str(_card(folder.resolve().name, sets)).encode(), "card")


def _card(title: str, sets: list[SetContents]) -> DatasetCard:
    licenses = sorted({str(value) for one in sets if (value := _recipe(one).get("license"))})
    pairs = sum(one.num_pairs for one in sets)
    data = DatasetCardData(
        license=(licenses[0] if len(licenses) == 1 else licenses) or None,
        pretty_name=title,
        task_categories=["depth-estimation", "image-to-3d"],
        tags=["face", "3d-face-reconstruction", "depth-estimation", "df2net_hub"],
        size_categories=[next((name for least, name in SIZES if pairs < least), "1M<n<10M")],
        configs=_configs(sets),
    )
    text = TEMPLATE.substitute(
        title=title,
        kinds="\n".join(f"- {kind}" for kind in _kinds(sets)),
        counts=_counts(sets),
        rejected=_rejected(sets),
        recipes="\n\n".join(_how(one) for one in sets),
        license=_license(sets),
    )
    return DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{text}")


def _kinds(sets: list[SetContents]) -> list[str]:
    """What the rows of each source are, in the order of the paper, each said once."""
    kinds = []
    for source, meaning in SOURCES.items():
        for one in sets:
            if source in one.sources:
                kinds.append(f"`{source}`: {_taught(_recipe(one)) or meaning}")
    return list(dict.fromkeys(kinds))


def _taught(recipe: dict[str, Any]) -> str | None:
    """What is said of pairs that the pipeline itself reconstructed; None of others."""
    if recipe.get("made_by") != TEACHER:
        return None
    model = recipe.get("model", NOT_STATED)
    weights = "its bundled weights" if model == "bundled" else f"the weights `{model}`"
    turned = "; most of them turned and lit anew by that depth" if recipe.get("turns") else ""
    made = f"photos with a depth that the pipeline of df2net_hub itself reconstructed, by {weights}"
    return made + turned


def _configs(sets: list[SetContents]) -> list[dict[str, Any]]:
    """All shards together, and each set by its name where there are several."""
    globs = {"default": "*.parquet"}
    if len(sets) > 1:  # a configuration without any pair could not be loaded
        full = [one.name for one in sets if one.num_pairs]
        globs |= {name: f"{name}-{'[0-9]' * 5}.parquet" for name in full}
    return [
        {"config_name": name, "data_files": [{"split": "train", "path": glob}]}
        for name, glob in globs.items()
    ]


def _recipe(one: SetContents) -> dict[str, Any]:
    return one.manifest.recipe if one.manifest else {}


def _counts(sets: list[SetContents]) -> str:
    lines = [
        "| set | source | pairs | with depth | with albedo | with normals | side [px] |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in sets:
        sources = ", ".join(
            source if len(one.sources) == 1 else f"{source} {pairs:,}"
            for source, pairs in one.sources.items()
        )
        known = " | ".join(f"{one.known.get(name, 0):,}" for name in KNOWN)
        lines.append(
            f"| `{one.name}` | {sources or '-'} | {one.num_pairs:,} | {known} | "
            f"{one.side_px or '-'} |"
        )
    total = sum(one.num_pairs for one in sets)
    return "\n".join([*lines, "", f"{total:,} pairs in {sum(len(o.shards) for o in sets)} shards."])


def _rejected(sets: list[SetContents]) -> str:
    lines = [
        f"| `{one.name}` | {reason} | {inputs:,} |"
        for one in sets
        for reason, inputs in one.rejected.items()
    ]
    if not lines:
        return "No input was rejected."
    total = sum(inputs for one in sets for inputs in one.rejected.values())
    head = [
        f"Inputs that gave no pair: {total:,}.",
        "",
        "| set | reason | inputs |",
        "|---|---|---|",
    ]
    return "\n".join(head + lines)


def _how(one: SetContents) -> str:
    if one.manifest is None:
        return f"`{one.name}`: {NOT_STATED}; there is no manifest."
    recipe = dict(one.manifest.recipe)
    command = recipe.pop("command", None)
    recipe.pop("license", None)
    recipe.pop("licenses", None)
    versions = ", ".join(one.manifest.versions)
    parts = [f"`{one.name}`: {one.manifest.count:,} inputs, df2net_hub {versions}."]
    missing = missing_shards(one.shards[0].parent, one.manifest)
    if missing:
        parts.append(f"**Not complete:** {len(missing)} of {one.manifest.num_shards} shards miss.")
    if command:
        parts.append(f"```sh\n{command}\n```")
    parts.append(f"```json\n{json.dumps(recipe, indent=2, ensure_ascii=False)}\n```")
    return "\n\n".join(parts)


def _license(sets: list[SetContents]) -> str:
    stated = {one.name: _recipe(one).get("license") or NOT_STATED for one in sets}
    if len(set(stated.values())) == 1:
        lines = [f"License: {next(iter(stated.values()))}."]
    else:
        lines = ["The sets have different licenses:", ""]
        lines += [f"- `{name}`: {license}" for name, license in stated.items()]
    credits = dict.fromkeys(line for one in sets for line in _recipe(one).get("licenses") or ())
    if credits:
        lines += ["", "Made from:", "", *(f"- {line}" for line in credits)]
    for one in sets:  # an empty list: it was looked for and not there
        if _recipe(one).get("licenses") == []:
            lines += ["", f"The folder that `{one.name}` was made from states no licenses."]
    if any(source != "morphable" for one in sets for source in one.sources):
        lines += [
            "",
            "It holds photos of people: the terms of the photos' sources apply, too.",
        ]
    return "\n".join(lines)


def check_push(repo_id: str) -> None:
    """See, without asking the Hub, whether `push_set` could work at all.

    Raises:
        ValueError: `repo_id` is not of the form OWNER/NAME.
        LookupError: nobody is logged in.
    """
    if repo_id.count("/") != 1:
        raise ValueError(f"a dataset of the Hub is named OWNER/NAME, got {repo_id!r}")
    validate_repo_id(repo_id)
    if get_token() is None:
        raise LookupError(
            "not logged in to the Hugging Face Hub: run `hf auth login`, or set HF_TOKEN"
        )


def push_set(folder: str | Path, repo_id: str, *, endpoint: str | None = None) -> str:
    """Upload the sets of `folder` with card and contact sheet as dataset `repo_id`; returns a URL.

    A dataset that is there is updated: files that the Hub has already are not sent again.

    Raises:
        ValueError: a bad `repo_id`, or a set with missing shards.
        LookupError: nobody is logged in.
        OSError: the Hub refused or could not be reached.
    """
    folder = Path(folder)
    check_push(repo_id)
    sets = read_sets(folder)
    for one in sets:
        if one.manifest and (missing := missing_shards(folder, one.manifest)):
            raise ValueError(
                f"set {one.name!r} in {folder} lacks {len(missing)} of {one.manifest.num_shards} "
                "shards, which are not published half: run the command that makes it to the end"
            )
    finish_set(folder)
    names = [CARD, SHEET, "*.parquet", "*.rejected.jsonl", *(f"{one.name}.json" for one in sets)]
    hub = HfApi(endpoint=endpoint)
    try:
        hub.create_repo(repo_id, repo_type="dataset", exist_ok=True)
        commit = hub.upload_folder(
            folder_path=folder, repo_id=repo_id, repo_type="dataset", allow_patterns=names,
            ignore_patterns=".*", commit_message="Training pairs for DF2Net",
        )  # fmt: skip
    except UPLOAD_ERRORS as error:
        raise ConnectionError(
            f"{repo_id} was not uploaded from {folder}: {error}. The set itself is finished; "
            "the same command tries the upload again"
        ) from error
    return str(commit.commit_url)
