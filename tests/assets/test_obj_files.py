"""OBJ files: numbers from 1, polygons as fans, and what is wrong with a bad one."""

import numpy as np
import pytest

from df2net_hub.assets.obj_files import read_obj, read_obj_vertices

SQUARE = """\
# a square and a helper triangle
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
g body
f 1/1/1 2/2/1 3/3/1 4/4/1
g helper
f 1/1 2/2 3/3
"""


def test_a_quad_becomes_a_fan_of_two_triangles(tmp_path):
    path = tmp_path / "square.obj"
    path.write_text(SQUARE)
    mesh = read_obj(path, group="body")
    np.testing.assert_array_equal(mesh.triangles, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal(mesh.uv_triangles, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal(mesh.vertices[2], [1, 1, 0])
    assert len(read_obj(path).triangles) == 3


def test_negative_numbers_count_from_the_end_and_colors_behind_a_vertex_are_left(tmp_path):
    path = tmp_path / "triangle.obj"
    path.write_text("v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 5 0 0 1\nf -3 -2 -1\n")
    mesh = read_obj(path)
    np.testing.assert_array_equal(mesh.triangles, [[0, 1, 2]])
    assert mesh.uv_triangles is None and mesh.vertices[2, 2] == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SQUARE.replace("v 0 1 0\n", ""), "points at number 4 of 3 vertices; is the file cut"),
        (SQUARE.replace("v 1 1 0", "v 1 1"), "'v' line that is not 3 numbers"),
        (SQUARE.replace("v 1 1 0", "v 1 nan 0"), "NaN"),
        (SQUARE.replace("2/2/1", "x/2/1"), "cannot be read"),
        (SQUARE.replace("1/1/1 2/2/1 3/3/1 4/4/1", "1/1 2/2"), "line 11: a face of 2 corners"),
        (SQUARE[: SQUARE.index("g body")], "holds no faces"),
    ],
)
def test_a_damaged_file_is_an_error(tmp_path, text, message):
    path = tmp_path / "bad.obj"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_obj(path)


def test_a_group_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path):
    path = tmp_path / "square.obj"
    path.write_text(SQUARE)
    with pytest.raises(ValueError, match="no faces in group 'skin'.*body.*helper"):
        read_obj(path, group="skin")


def test_a_picture_is_no_obj_file(tmp_path):
    (tmp_path / "a.obj").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    with pytest.raises(ValueError, match="not text"):
        read_obj(tmp_path / "a.obj")


def test_another_number_of_vertices_is_an_error(tmp_path):
    (tmp_path / "a.obj").write_text(SQUARE)
    assert read_obj_vertices(tmp_path / "a.obj", 4).shape == (4, 3)
    with pytest.raises(ValueError, match="has 4 vertices, the neutral mesh has 5"):
        read_obj_vertices(tmp_path / "a.obj", 5)
