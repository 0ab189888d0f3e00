"""Every command in docs/*.md is one that the command line accepts, every link leads somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from df2net_hub.cli import VERBS, verb_parser
from df2net_hub.training.config import parse

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))


def commands(page: Path) -> list[list[str]]:
    """The words behind `df2net` of each command in a shell block, loops and quotes left aside."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        quoted = re.search(r"'(df2net [^']*)'", line)
        plain = re.search(r"^(?:\s*ssh \S+ \S+ )?\s*(df2net .*?)(?: &)?$", line)
        text = quoted[1] if quoted and not line.startswith("df2net") else plain and plain[1]
        if text:
            text = re.sub(r"--shard \S*\$\S+", "--shard 1/4", text)  # what a shell would fill in
            found.append(shlex.split(text, comments=True)[1:])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_df2net_command_of_a_page_is_accepted(page: Path) -> None:
    for verb, *arguments in commands(page):
        assert verb in VERBS
        verb_parser(verb).parse_args(arguments)  # exits on an argument that it does not know


def test_commands_in_quotes_and_loops_are_found() -> None:
    found = [words for words in commands(ROOT / "docs" / "sets.md") if "--shard" in words]
    assert len(found) == 5  # two machines, Slurm, ssh, torchrun


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem
)
def test_every_file_and_heading_that_a_page_links_to_is_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^):]+)\)", page.read_text()):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.stem)
def test_every_training_command_of_a_page_is_accepted(page: Path) -> None:
    """Configs that it names are there, every flag and value is one that the trainer takes."""
    text = page.read_text().replace("\\\n", " ")
    lines = re.findall(r"^.*scripts/train\.py (.*)$", text, flags=re.MULTILINE)
    assert len(lines) >= 3 or page.stem != "training"
    for line in lines:
        words = [
            str(ROOT / word) if word.startswith("configs/") else word
            for word in shlex.split(line, comments=True)
        ]
        if "--config" not in words:
            assert parse(words).dataset
        else:
            assert parse(words).stages() == ("dense", "fine", "finer")
