"""Sculpted heads from a tiny folder laid out as MakeHuman's data, and what is wrong with others."""

import gzip

import numpy as np
import pytest

from df2net_hub.assets.makehuman import makehuman_data, read_target, target_paths
from df2net_hub.cli import main
from df2net_hub.synthesis.morphable import save_morphable
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.sculpted import load_sculpted

pytest.importorskip("scipy", reason="scipy solves for the warp")


def lines_of(offsets):
    return "# a comment\n" + "".join(
        f"{vertex} {x:.4f} {y:.4f} {z:.4f}\n"
        for vertex, (x, y, z) in enumerate(offsets)
        if x or y or z
    )


@pytest.fixture(scope="module")
def head():
    return procedural_head()


@pytest.fixture
def source(head, tmp_path):
    """A checkout with a base mesh of the model's own skull, in decimeters, and five targets."""
    end = head.parts["head_and_neck"].stop
    skull = [row for row in head.triangles if (row < end).all() and len(set(row)) == 3]
    data = tmp_path / "makehuman" / "makehuman" / "data"
    (data / "3dobjs").mkdir(parents=True)
    text = "".join("v {:.5f} {:.5f} {:.5f}\n".format(*(p / 10)) for p in head.vertices[:end])
    text += "g body\n" + "".join("f {} {} {}\n".format(*(row + 1)) for row in skull)
    text += "g joint-l-eye\nf 1 2 3\n"
    (data / "3dobjs" / "base.obj").write_text(text)
    nose = np.zeros((end, 3))
    nose[:, 2] = 0.08 * np.exp(
        -((head.vertices[:end] - head.vertices[head.landmarks68[29]]) ** 2).sum(1) / 6
    )
    files = {
        "nose/nose-hump-incr.target": lines_of(nose),
        "nose/nose-hump-decr.target.gz": lines_of(-nose),
        "macrodetails/asian-male-old.target": lines_of(0.02 * head.vertices[:end]),
        "macrodetails/universal-male-old-averagemuscle-averageweight.target": "",
        "macrodetails/asian-male-child.target": lines_of(nose),
        "asym/asymm-trunk-1-l.target": lines_of(nose),
        "arms/arm-length-incr.target": lines_of(nose),
        "nose/readme.txt": "no target",
    }
    for name, content in files.items():
        path = data / "targets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = content.encode()
        path.write_bytes(gzip.compress(stored) if name.endswith(".gz") else stored)
    return tmp_path / "makehuman"


@pytest.fixture
def data_folder(head, tmp_path):
    save_morphable(head, tmp_path / "DATA" / "head.npz")
    end = head.parts["head_and_neck"].stop
    chosen = np.unique([*head.landmarks68, *range(0, end, 40)])
    rows = "".join(f"{vertex},{vertex}\n" for vertex in chosen)
    (tmp_path / "matches.csv").write_text("source,target\n" + rows)
    return tmp_path / "DATA"


def test_targets_of_grown_up_heads_are_chosen(source):
    data = makehuman_data(source)
    assert data == source / "makehuman" / "data" == makehuman_data(data)
    assert list(target_paths(data)) == [
        "nose-hump-decr", "nose-hump-incr",
        "asian-male-old", "universal-male-old-averagemuscle-averageweight",
    ]  # fmt: skip


def test_the_command_makes_heads_that_the_renderer_reads(head, source, data_folder, capsys):
    matches = str(data_folder.parent / "matches.csv")
    argv = ["assets", "sculpted", str(source), "-o", str(data_folder), "--matches", matches]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    assert "a head with 4 targets" in printed
    assert "sculpted: MakeHuman; CC0 1.0, makehumancommunity.org" in printed
    heads = load_sculpted(data_folder / "sculpted.npz", head)
    end = head.parts["head_and_neck"].stop
    face = head.vertex_flags(("face_narrow",))
    assert np.linalg.norm(heads.vertices - head.vertices, axis=1)[face].max() < 0.1
    tip = head.landmarks68[29]
    up, down = (heads.targets[heads.names.index(f"nose-hump-{end}")] for end in ("incr", "decr"))
    assert up[tip, 2] == pytest.approx(0.8, abs=0.12)  # 0.08 dm, made a little smoother
    np.testing.assert_allclose(up, -down, atol=2e-3)
    assert np.abs(up[:end][head.vertices[:end, 2] < 0]).max() < 0.02
    grown = heads.targets[heads.names.index("asian-male-old")]
    off = np.linalg.norm(grown - 0.2 * head.vertices, axis=1)[face]  # up to 2.7 cm
    assert np.median(off) < 0.02 and off.max() < 0.2
    assert main(["assets", "check", str(data_folder)]) == 1  # no skins, no light
    assert "ok       sculpted     4 targets" in capsys.readouterr().out


def test_without_a_table_only_makehuman_and_ict_match(source, data_folder, capsys):
    assert main(["assets", "sculpted", str(source), "-o", str(data_folder)]) == 1
    assert "MakeHuman's base.obj (19158)" in capsys.readouterr().err
    assert not (data_folder / "sculpted.npz").exists()


def test_a_damaged_target_leaves_what_was_there(source, data_folder, capsys):
    matches = str(data_folder.parent / "matches.csv")
    path = source / "makehuman" / "data" / "targets" / "nose" / "nose-hump-decr.target.gz"
    path.write_bytes(path.read_bytes()[:30])
    (data_folder / "sculpted.npz").write_bytes(b"older")
    argv = ["assets", "sculpted", str(source), "-o", str(data_folder), "--matches", matches]
    assert main(argv) == 1
    assert "nose-hump-decr.target.gz cannot be read" in capsys.readouterr().err
    assert (data_folder / "sculpted.npz").read_bytes() == b"older"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0 1 2\n", "expected lines `vertex dx dy dz`"),
        (b"0 1 2 x\n", "expected lines `vertex dx dy dz`"),
        (b"0 1 2 nan\n", "NaN or infinity"),
        (b"9 1 2 3\n", "vertices 9 to 9, the mesh has 9"),
        (b"-1 1 2 3\n", "vertices -1 to -1, the mesh has 9"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_bad_target_is_named_with_its_reason(tmp_path, content, message):
    path = tmp_path / "bad.target"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_target(path, 9)
    assert str(path) in str(error.value)


def test_offsets_are_those_of_the_file(tmp_path):
    path = tmp_path / "some.target"
    path.write_text("# maker\n\n2 .5 -1 0\n0 0 0 3e-1\n")
    np.testing.assert_array_equal(read_target(path, 3), [[0, 0, 0.3], [0, 0, 0], [0.5, -1, 0]])
    path.write_text("")
    np.testing.assert_array_equal(read_target(path, 2), np.zeros((2, 3)))
    with pytest.raises(FileNotFoundError, match=r"no target at .*none\.target"):
        read_target(tmp_path / "none.target", 3)


def test_a_folder_of_something_else_is_refused(source, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"3dobjs/base\.obj"):
        makehuman_data(tmp_path / "elsewhere")
    data = makehuman_data(source)
    for path in (data / "targets" / "macrodetails").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="no target such as asian-male-old"):
        target_paths(data)
