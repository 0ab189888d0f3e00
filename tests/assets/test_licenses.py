"""LICENSES.txt: a line per ingredient, replaced by the same source; what people wrote stays."""

import pytest

from df2net_hub.assets.licenses import state_license
from df2net_hub.synthesis.asset_folder import license_lines


def test_lines_are_added_and_those_of_the_same_source_replaced(tmp_path):
    (tmp_path / "LICENSES.txt").write_text("# ours\nskins: freckles; painted by us\n")
    assert state_license(tmp_path, "head", "FLAME", None) == "head: FLAME; not stated"
    state_license(tmp_path, "skins", "textures of base.obj", "CC0")
    state_license(tmp_path, "skins", "textures of other.obj", "CC BY 4.0")
    state_license(tmp_path, "skins", "textures of base.obj", "CC0 1.0")
    state_license(tmp_path, "head", "ICT-FaceKit", " MIT ")
    assert (tmp_path / "LICENSES.txt").read_text().splitlines() == [
        "# ours",
        "skins: freckles; painted by us",
        "skins: textures of other.obj; CC BY 4.0",
        "skins: textures of base.obj; CC0 1.0",
        "head: ICT-FaceKit; MIT",
    ]
    assert license_lines(tmp_path)[0] == "skins: freckles; painted by us"


def test_what_lies_there_without_a_line_is_not_stated(tmp_path):
    assert license_lines(tmp_path) == []
    (tmp_path / "skins_ict_uv").mkdir()
    assert license_lines(tmp_path) == []  # no file: the folder states nothing at all
    state_license(tmp_path, "head", "ICT-FaceKit", "MIT")
    assert license_lines(tmp_path) == ["head: ICT-FaceKit; MIT", "skins: not stated"]


def test_a_text_of_two_lines_another_ingredient_and_other_bytes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="in one line of LICENSES.txt"):
        state_license(tmp_path, "skins", "a", "MIT\nhead: mine")
    with pytest.raises(ValueError, match="unknown ingredient 'hair'.*head, skins, light"):
        state_license(tmp_path, "hair", "a", "MIT")
    (tmp_path / "LICENSES.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"LICENSES.txt is no text in UTF-8.*write it anew"):
        license_lines(tmp_path)
