"""Show what is installed, which devices there are, and whether the bundled weights load.

Paste its output into a bug report. Exit status 1 means that reconstructing will not work.
"""

import argparse
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

import torch
from packaging.requirements import Requirement

from df2net_hub.commands import DONE, FAILED
from df2net_hub.pipelines.df2net import DF2NetPipeline

EXAMPLES = """\
  df2net doctor
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # this verb has no arguments


def run(args: argparse.Namespace) -> int:
    del args
    print(f"python        {platform.python_version()} on {platform.platform()}")
    print(f"df2net_hub    {version('df2net_hub')}")
    print(f"devices       {', '.join(devices())}")
    for extra, lines in packages_by_extra().items():
        print(f"\n{extra}")
        print("\n".join(f"  {line}" for line in lines))
    print("\nbundled weights")
    try:
        pipe = DF2NetPipeline.from_pretrained()
    except (ValueError, OSError) as error:
        print(f"  do not load: {error}")
        return FAILED
    parameters = sum(p.numel() for p in pipe.cascade.parameters())
    print(f"  load, {parameters:,} parameters")
    return DONE


def devices() -> list[str]:
    """What `--device` accepts on this machine."""
    names = [f"cpu ({torch.get_num_threads()} threads of {os.cpu_count()} cores)"]
    for index in range(torch.cuda.device_count()):
        names.append(f"cuda:{index} ({torch.cuda.get_device_name(index)})")
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def packages_by_extra() -> dict[str, list[str]]:
    """Name and version, or "missing", of every requirement, under the extra that asks for it."""
    packages: dict[str, list[str]] = {}
    for requirement in map(Requirement, requires("df2net_hub") or []):
        marker = str(requirement.marker or "")
        extra = re.search(r"""extra == ["'](\w+)""", marker)
        heading = f"extra {extra[1]!r}" if extra else "base install"
        if extra and extra[1] in ("dev", "all"):
            continue
        asked = {"extra": extra[1] if extra else ""}
        if requirement.marker and not requirement.marker.evaluate(asked):
            continue  # not on this Python or system
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            found = "missing"
        packages.setdefault(heading, []).append(f"{requirement.name:<24} {found}")
    return packages
