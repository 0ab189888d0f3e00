"""Every benchmark starts, tells what it measures, and knows the functions that it clocks."""

import sys

import pytest
from benchmark_scripts import SCRIPTS, script


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_says_how_to_run_it(name, monkeypatch, capsys):
    module = script(name)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 0
    assert f"python benchmarks/{name}.py" in capsys.readouterr().out


def test_the_steps_of_the_renderer_are_functions_of_it():
    from df2net_hub.synthesis import render, sampling

    homes = {"render": render, "sampling": sampling}
    for names in script("rendering").STEPS.values():
        for name in names:
            home, *path = name.split(".")
            found = homes[home]
            for part in path:
                found = getattr(found, part)
            assert callable(found), name


def test_before_and_after_are_columns_beside_the_photo():
    from df2net_hub import DF2NetPipeline
    from df2net_hub.demo_photo import demo_photo

    pipe = DF2NetPipeline.from_pretrained()
    picture = script("before_after").side_by_side(demo_photo(), {"before": pipe, "after": pipe})
    tile = picture.shape[1] // 3  # photo, before, after
    before, after = picture[40:, tile : 2 * tile], picture[40:, 2 * tile :]
    assert (before == after).all() and before.std() > 10


def test_a_photo_without_a_face_is_named(tmp_path):
    from PIL import Image

    from df2net_hub import DF2NetPipeline

    blank = tmp_path / "blank.png"
    Image.new("RGB", (64, 64), (90, 90, 90)).save(blank)
    with pytest.raises(ValueError, match="blank.png: no face found by before; give a portrait"):
        script("before_after").side_by_side(blank, {"before": DF2NetPipeline.from_pretrained()})
