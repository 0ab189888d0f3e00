"""Every sample of README.md runs, and every command in it exists."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from df2net_hub.cli import VERBS, verb_parser
from df2net_hub.demo_photo import demo_photo
from df2net_hub.pipelines.df2net import BUNDLED_WEIGHTS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def shell_lines() -> list[list[str]]:
    lines = "\n".join(blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


@pytest.mark.skipif(not BUNDLED_WEIGHTS.is_dir(), reason="the bundled weights are not there")
def test_the_python_samples_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.open(demo_photo()).convert("RGB").save("portrait.jpg")
    names: dict[str, object] = {}
    for number, sample in enumerate(blocks("python")):
        exec(compile(sample, f"README.md, Python sample {number}", "exec"), names)
    assert sorted(path.name for path in Path("out").iterdir())[0] == "portrait_0.glb"
    assert Path("my-weights/model_index.json").is_file()


def test_every_df2net_command_is_one_that_the_command_line_accepts() -> None:
    commands = [words[1:] for words in shell_lines() if words[0] == "df2net"]
    assert len(commands) >= 4
    for verb, *arguments in commands:
        assert verb in VERBS
        verb_parser(verb).parse_args(arguments)  # exits on an argument that it does not know


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {words[1] for words in shell_lines() if words[0] == "make"}
    targets |= set(re.findall(r"`make ([\w-]+)", README))
    assert targets >= {"demo", "test"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_file_that_it_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        if link != "docs/images/astronaut.png" or BUNDLED_WEIGHTS.is_dir():
            assert (ROOT / link).exists(), link
