"""The `df2net` command: a table of verbs, each with a file of its own in `df2net_hub/commands/`.

A verb's file holds `EXAMPLES`, `add_arguments(parser)` and `run(args) -> exit status`; its
docstring is the help text. A new verb is that file and one line in `VERBS`.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from df2net_hub import __version__

VERBS = {  # verb -> what it does; the module is df2net_hub.commands.<verb>, - becomes _
    "reconstruct": "photographs in, textured 3D faces out",
    "synthesize": "render training pairs from a morphable head",
    "assets": "get a morphable head, skins and light ready for `synthesize`",
    "import-pairs": "training pairs of photos that are reconstructed already",
    "prepare-photos": "training photos without depth, rich in detail, from a folder or a set",
    "evaluate": "errors against faces of known depth, the paper's protocol, with a report",
    "demo": "the same on a photograph that is already on this machine",
    "average": "mean of the weights of several training runs",
    "models": "table of the models that can be created",
    "convert": "turn the authors' DF2Net.pth.tar into a pipeline folder",
    "push": "upload a pipeline folder to the Hugging Face Hub",
    "doctor": "what is installed, which devices there are, whether the weights load",
}

EPILOG = """\
exit status:
  0  done
  1  something failed: an input, an output folder, a model; the message on stderr says what to do
  2  the command line was wrong
  3  no face was found in one of the photographs (and nothing failed)

`df2net VERB --help` shows examples. DF2NET_TRACEBACK=1 shows where in the code an error arose.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `df2net` with `argv` (default: the process's arguments); returns the exit status."""
    argv = sys.argv[1:] if argv is None else list(argv)
    verb = _main_parser().parse_args(argv[:1]).verb
    args = verb_parser(verb).parse_args(argv[1:])
    try:
        return _command(verb).run(args)
    except (ValueError, LookupError, OSError) as error:  # what our own errors are made of
        is_a_bug = isinstance(error, (KeyError, IndexError))
        if is_a_bug or os.environ.get("DF2NET_TRACEBACK"):
            raise
        print(f"df2net {verb}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if "is not installed" not in str(error):  # else our own, which says how to install it
            raise
        print(f"df2net {verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"df2net {verb}: interrupted", file=sys.stderr)
        return 130


def verb_parser(verb: str) -> argparse.ArgumentParser:
    """What parses the arguments after `df2net VERB`."""
    command = _command(verb)
    parser = argparse.ArgumentParser(
        prog=f"df2net {verb}",
        description=command.__doc__,
        epilog=f"examples:\n{command.EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return parser


def _command(verb: str) -> ModuleType:
    return importlib.import_module(f"df2net_hub.commands.{verb.replace('-', '_')}")


def _main_parser() -> argparse.ArgumentParser:
    title = "A detailed 3D face from one photograph (DF2Net, ICCV 2019)."
    rows = "\n".join(f"  {verb:<15} {summary}" for verb, summary in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="df2net",
        usage="df2net VERB [arguments]",
        description=f"{title}\n\nverbs:\n{rows}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"df2net_hub {__version__}")
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help="one of the verbs above")
    return parser
