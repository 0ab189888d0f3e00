"""The report on a folder, and `df2net assets` from the command line."""

import dataclasses

import cv2
import numpy as np
import pytest

from df2net_hub.assets.check import check_folder
from df2net_hub.cli import main
from df2net_hub.synthesis.morphable import save_morphable
from df2net_hub.synthesis.procedural import procedural_head


@pytest.fixture
def folder(tmp_path):
    """A whole DATA."""
    data = tmp_path / "DATA"
    save_morphable(procedural_head(), data / "head.npz")
    (data / "skins").mkdir()
    (data / "light" / "backgrounds").mkdir(parents=True)
    cv2.imwrite(str(data / "skins" / "a.jpg"), np.full((16, 32, 3), 150, np.uint8))
    cv2.imwrite(str(data / "light" / "backgrounds" / "b.jpg"), np.full((8, 8, 3), 90, np.uint8))
    np.savez(data / "light" / "environments.npz", radiance=np.ones((2, 8, 16, 3), np.float16))
    return data


def bad_ones(folder):
    return {finding.what: finding.seen for finding in check_folder(folder) if not finding.good}


def test_a_whole_folder_is_good(folder, capsys):
    assert bad_ones(folder) == {}
    assert main(["assets", "check", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "none stated: no LICENSES.txt" in printed
    assert "7296 vertices" in printed and "8 identity and 3 expression shapes" in printed
    assert "1 textures" in printed and "2 environments of 8 rows" in printed


def test_the_older_names_are_found(folder):
    (folder / "ict_facekit").mkdir()
    (folder / "head.npz").rename(folder / "ict_facekit" / "ict_face_model.npz")
    (folder / "skins").rename(folder / "skins_ict_uv")
    (folder / "light").rename(folder / "light_probes")
    assert bad_ones(folder) == {}


def test_what_is_missing_is_said_with_where_to_get_it(tmp_path, capsys):
    missing = bad_ones(tmp_path)
    assert set(missing) == {"head", "skins", "light", "backgrounds"}
    assert all("docs/assets.md" in seen for seen in missing.values())
    assert main(["assets", "check", str(tmp_path)]) == 1
    assert "MISSING" in capsys.readouterr().out
    assert main(["assets", "check", str(tmp_path / "none")]) == 1


def test_skins_may_be_absent_where_the_head_has_colors(folder):
    head = procedural_head()
    gray = np.full_like(head.vertices, 0.4)
    save_morphable(dataclasses.replace(head, colors=gray), folder / "head.npz")
    (folder / "skins" / "a.jpg").unlink()
    assert bad_ones(folder) == {}
    save_morphable(head, folder / "head.npz")
    assert "the head has no colors" in bad_ones(folder)["skins"]


@pytest.mark.parametrize(
    ("name", "content", "what", "message"),
    [
        ("skins/b.jpg", b"no picture", "skins", "b.jpg is not a picture"),
        ("light/backgrounds/c.jpg", b"", "backgrounds", "c.jpg is not a picture"),
        ("light/environments.npz", b"PK\x03\x04", "light", "cut short"),
        ("head.npz", b"PK\x03\x04", "head", "cut short"),
        ("LICENSES.txt", b"\xff\xfe", "licenses", "no text in UTF-8"),
    ],
)
def test_a_damaged_file_is_named(folder, name, content, what, message):
    (folder / name).write_bytes(content)
    assert message in bad_ones(folder)[what]


def test_a_skin_of_another_shape_and_light_with_nan_are_named(folder):
    cv2.imwrite(str(folder / "skins" / "b.jpg"), np.zeros((16, 16, 3), np.uint8))
    radiance = np.full((1, 8, 16, 3), np.nan, np.float16)
    np.savez(folder / "light" / "environments.npz", radiance=radiance)
    bad = bad_ones(folder)
    assert "16 x 16 px, expected twice as wide" in bad["skins"]
    assert "not finite" in bad["light"]


def test_creases_of_photographed_skins_are_counted_and_a_damaged_map_is_named(folder):
    skins = folder / "photo_skins"
    (skins / "creases").mkdir(parents=True)
    for name in ("a", "b"):
        cv2.imwrite(str(skins / f"{name}.jpg"), np.full((16, 32, 3), 150, np.uint8))
    cv2.imwrite(str(skins / "creases" / "b.png"), np.zeros((16, 16), np.uint8))
    seen = {finding.what: finding.seen for finding in check_folder(folder)}
    assert seen["photo_skins"] == "2 textures, 1 with creases"
    (skins / "creases" / "b.png").write_bytes(b"no picture")
    assert list(bad_ones(folder)) == ["photo_skins"]
    assert "b.png is not a picture that can be read" in bad_ones(folder)["photo_skins"]


def test_every_job_has_help(capsys):
    for job in ("head", "skins", "light", "check"):
        with pytest.raises(SystemExit) as stopped:
            main(["assets", job, "--help"])
        assert stopped.value.code == 0
        assert f"df2net assets {job}" in capsys.readouterr().out


def test_panoramas_and_a_stored_head_from_the_command_line(folder, tmp_path, capsys):
    pytest.importorskip("scipy", reason="scipy converts heads")
    (tmp_path / "hdris").mkdir()
    cv2.imwrite(str(tmp_path / "hdris" / "sky.hdr"), np.ones((64, 128, 3), np.float32))
    new = tmp_path / "NEW"
    assert main(["assets", "light", str(tmp_path / "hdris"), "-o", str(new)]) == 0
    head = ["assets", "head", str(folder / "head.npz"), "-o", str(new), "--license", "CC0 1.0, us"]
    assert main(head) == 0
    assert set(bad_ones(new)) == {"skins"}
    lines = ["light: panoramas of hdris; not stated", "head: head.npz; CC0 1.0, us"]
    assert (new / "LICENSES.txt").read_text().splitlines() == lines
    assert {f.what: f.seen for f in check_folder(new)}["licenses"] == " | ".join(lines)
    cv2.imwrite(str(tmp_path / "hdris" / "square.hdr"), np.ones((64, 64, 3), np.float32))
    assert main(["assets", "light", str(tmp_path / "hdris"), "-o", str(new)]) == 1
    assert "left out" in capsys.readouterr().out


def test_skins_of_an_unknown_mesh_need_a_table(folder, tmp_path, capsys):
    pytest.importorskip("scipy", reason="scipy matches heads")
    mesh = tmp_path / "mesh.obj"
    mesh.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n")
    assert main(["assets", "skins", str(mesh), str(mesh), "-o", str(folder)]) == 1
    assert "Give a table with --matches" in capsys.readouterr().err


def test_skins_of_a_tiny_head_from_the_command_line(tmp_path, capsys):
    """Mesh, texture and matched vertices in; a texture of DATA's layout out, and its license."""
    pytest.importorskip("scipy", reason="scipy matches heads")
    head = procedural_head()
    num = head.parts["face_narrow"].stop
    face = (head.triangles < num).all(1)
    data = tmp_path / "DATA"
    # The face over a tenth of its tile: the layout is 2048 x 1024, and each texel is looked up.
    small = dataclasses.replace(
        head,
        triangles=head.triangles[face],
        uv=head.uv * np.float32(0.1),
        uv_triangles=head.uv_triangles[face],
    )
    save_morphable(small, data / "head.npz")
    # The other head: the same face half as large, its texture upside down, vertices backward.
    corners, uv_corners = head.triangles[face] + 1, head.uv_triangles[face] + 1
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in head.vertices[:num][::-1] / 2]
    lines += [f"vt {u:.6f} {1 - v:.6f}" for u, v in head.uv]
    for vertex, texel in zip(num + 1 - corners, uv_corners, strict=True):
        lines.append("f " + " ".join(f"{a}/{b}" for a, b in zip(vertex, texel, strict=True)))
    (tmp_path / "other.obj").write_text("\n".join(lines) + "\n")
    some = range(0, num, num // 60)
    table = ["source,target", *(f"{num - 1 - vertex},{vertex}" for vertex in some)]
    (tmp_path / "matches.csv").write_text("\n".join(table) + "\n")
    ramp = np.broadcast_to(np.linspace(40, 220, 128)[:, None, None], (128, 128, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "ramp.png"), ramp)
    words = ["assets", "skins", str(tmp_path / "other.obj"), str(tmp_path / "ramp.png")]
    words += ["-o", str(data), "--matches", str(tmp_path / "matches.csv"), "--license", "CC0 1.0"]
    assert main(words) == 0
    assert "1 skins in" in capsys.readouterr().out
    assert (data / "LICENSES.txt").read_text() == "skins: textures of other.obj; CC0 1.0\n"
    skin = cv2.imread(str(data / "skins" / "ramp.jpg"))
    assert skin.shape == (1024, 2048, 3)
    # v of the layout is 0.1 v of the face; the source's texture has v turned around.
    v = np.linspace(0.35, 0.65, 7)
    rows = np.rint((1 - 0.1 * v) * 1024 - 0.5).astype(int)
    expected = 40 + 180 * v
    np.testing.assert_allclose(skin[rows, 51, 1], expected, atol=4)  # 51 of 102: the middle
    assert main([*words[:3], str(tmp_path / "matches.csv"), *words[4:]]) == 1
    assert "left out" in capsys.readouterr().out


def test_a_full_disk_is_one_line_and_keeps_what_was_there(folder, tmp_path, capsys):
    """By a limit on the size of files, which needs no rights."""
    pytest.importorskip("scipy", reason="scipy converts heads")
    resource = pytest.importorskip("resource", reason="POSIX only")
    (tmp_path / "hdris").mkdir()
    noise = np.random.default_rng(0).random((64, 128, 3), np.float32)
    cv2.imwrite(str(tmp_path / "hdris" / "sky.hdr"), noise)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    other = tmp_path / "other.npz"
    save_morphable(procedural_head(), other)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limits[1]))
    try:
        statuses = [
            main(["assets", "head", str(other), "-o", str(folder)]),
            main(["assets", "light", str(tmp_path / "hdris"), "-o", str(folder)]),
        ]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    said = [line for line in capsys.readouterr().err.splitlines() if "df2net assets:" in line]
    assert statuses == [1, 1] and len(said) == 2
    assert all(f"no space in {folder}: " in line for line in said)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
