"""Table of the models that can be created by name, plugins included.

GFLOPs are those of one face, a multiplication and an addition counting as two. A model whose
weights are "bundled" works as it is; a name of the form owner/name is fetched from the hub.
"""

import argparse

from df2net_hub.commands import DONE
from df2net_hub.zoo import zoo_table

EXAMPLES = """\
  df2net models
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # this verb has no arguments


def run(args: argparse.Namespace) -> int:
    del args
    print(zoo_table())
    return DONE
