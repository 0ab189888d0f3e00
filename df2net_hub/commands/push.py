"""Upload a pipeline folder, as it is, to the Hugging Face Hub.

The folder is loaded first, so that nothing is published that does not work. Log in with
`hf auth login` before, or set HF_TOKEN.
"""

import argparse
from pathlib import Path

from huggingface_hub import HfApi

from df2net_hub.commands import DONE
from df2net_hub.pair_card import UPLOAD_ERRORS
from df2net_hub.pipelines.df2net import DF2NetPipeline

EXAMPLES = """\
  df2net push my-weights owner/my-weights
  df2net push my-weights owner/my-weights --private
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="what save_pretrained wrote")
    parser.add_argument("repo_id", metavar="OWNER/NAME", help="where to; made if it is missing")
    parser.add_argument("--private", action="store_true", help="make it a private repository")


def run(args: argparse.Namespace) -> int:
    if not args.folder.is_dir():
        raise FileNotFoundError(f"no folder {str(args.folder)!r}; make it with save_pretrained")
    DF2NetPipeline.from_pretrained(args.folder)
    hub = HfApi()
    try:
        repo_id = hub.create_repo(args.repo_id, private=args.private, exist_ok=True).repo_id
        commit = hub.upload_folder(folder_path=args.folder, repo_id=repo_id, ignore_patterns=".*")
    except UPLOAD_ERRORS as error:
        raise ConnectionError(
            f"{args.folder} was not uploaded to {args.repo_id}: {error}. The same command tries "
            "again"
        ) from error
    print(commit.commit_url)
    return DONE
