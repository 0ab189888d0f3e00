"""LICENSES.txt of a folder of ingredients: one line each, `INGREDIENT: SOURCE; LICENSE`.

`df2net synthesize` copies the lines to the card of what it renders (`asset_folder.license_lines`).
"""

from pathlib import Path

from df2net_hub.set_manifest import replace_file
from df2net_hub.synthesis.asset_folder import LICENSED, LICENSES, NOT_STATED, license_entries

# What `df2net assets head` knows of the models that it reads; the rest is for --license to say.
MODELS = {
    "ict": ("ICT-FaceKit", "MIT, Copyright (c) 2020 USC Institute for Creative Technologies"),
    "bfm2009": ("Basel Face Model 2009", "non-commercial research, terms of University of Basel"),
    "bfm2017": (
        "Basel Face Model 2017 or 2019",
        "non-commercial research, terms of University of Basel",
    ),
    "flame": ("FLAME", NOT_STATED),
}
MAKEHUMAN = "CC0 1.0, makehumancommunity.org"  # its mesh and targets
ONLY_ONE = ("head", "sculpted")  # of these a new one takes the place of the old one


def state_license(folder: str | Path, ingredient: str, source: str, license: str | None) -> str:
    """Write down what `ingredient` of `folder` is and under which license; returns the line.

    A line of the same ingredient and source is replaced; other lines stay as they are, those that
    people wrote included.

    Raises:
        ValueError: an unknown ingredient, a text of several lines, or the file there is not text.
    """
    if ingredient not in LICENSED:
        known = ", ".join(LICENSED)
        raise ValueError(f"unknown ingredient {ingredient!r} in {LICENSES}; known: {known}")
    license = NOT_STATED if license is None or not license.strip() else license.strip()
    begin = f"{ingredient}: {source.replace(';', ',')};"
    line = f"{begin} {license}"
    if len(line.splitlines()) != 1:
        raise ValueError(f"a license is stated in one line of {LICENSES}, got {line!r}")
    folder = Path(folder)
    replaced = f"{ingredient}:" if ingredient in ONLY_ONE else begin
    kept = [entry for entry in license_entries(folder) if not entry.startswith(replaced)]
    replace_file(folder / LICENSES, "\n".join([*kept, line, ""]).encode(), "assets")
    return line
