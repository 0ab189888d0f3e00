"""Tables of landmarks and of matched vertices."""

import numpy as np
import pytest

from df2net_hub.assets.landmarks_file import (
    read_landmarks,
    read_matches,
    read_photo_points,
    read_points_on_head,
)
from df2net_hub.commands.assets import SHIPPED_MATCHES, SHIPPED_POINTS, SHIPPED_SIZES


def test_a_table_is_read_with_comments_left_out(tmp_path):
    path = tmp_path / "landmarks.csv"
    path.write_text("# of my head\nlandmark,vertex\n30, 12\n8,7\n")
    assert read_landmarks(path, 13) == {30: 12, 8: 7}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30,12\n", "starts with '30,12', expected the header 'landmark,vertex'"),
        ("", "starts with 'nothing'"),
        ("landmark,vertex\n30,13\n", "vertex 13 is outside 0 to 12"),
        ("landmark,vertex\n68,1\n", "landmark 68 is outside 0 to 67"),
        ("landmark,vertex\n30,-1\n", "row '30,-1' is not two whole numbers"),
        ("landmark,vertex\n30,1.5\n", "not two whole numbers"),
        ("landmark,vertex\n30\n", "not two whole numbers"),
        ("landmark,vertex\n30,1\n30,2\n", "landmark 30 stands twice"),
    ],
)
def test_a_bad_table_is_an_error(tmp_path, text, message):
    path = tmp_path / "landmarks.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_landmarks(path, 13)


def test_matches_are_pairs_and_need_to_be_eight(tmp_path):
    path = tmp_path / "matches.csv"
    path.write_text("source,target\n" + "".join(f"{k},{k + 1}\n" for k in range(8)))
    np.testing.assert_array_equal(read_matches(path, 8, 9)[2], [2, 3])
    path.write_text("source,target\n0,1\n")
    with pytest.raises(ValueError, match="has 1 pairs"):
        read_matches(path, 8, 9)
    with pytest.raises(FileNotFoundError, match="no table at"):
        read_matches(tmp_path / "none.csv", 8, 9)


def test_the_table_that_comes_with_the_package_pairs_each_vertex_once():
    matches = read_matches(SHIPPED_MATCHES, *SHIPPED_SIZES)
    assert len(matches) == 279
    assert all(len(np.unique(column)) == len(matches) for column in matches.T)
    # Outer and inner corners of the right eye, nose tip, lower lip: picked on renders.
    pairs = {tuple(pair) for pair in matches.tolist()}
    assert {(18, 1507), (71, 1528), (5054, 4857), (492, 5518)} <= pairs


def test_points_on_a_head_are_vertices_and_shares(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("point,a,b,c,share_a,share_b\n0,1,2,3,0.5,0.25\n1,4,4,4,1,0\n")
    np.testing.assert_array_equal(
        read_points_on_head(path, 5), [[1, 2, 3, 0.5, 0.25], [4, 4, 4, 1, 0]]
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0,1,2,5,0.5,0.2", "a vertex is outside 0 to 4"),
        ("0,1,2,1.5,0.5,0.2", "a vertex is outside 0 to 4"),
        ("0,1,2,3,0.8,0.4", "shares must be 0 to 1"),
        ("0,1,2,3,-0.1,0.4", "shares must be 0 to 1"),
        ("1,1,2,3,0.5,0.2", "points 0, 1, 2 and so on"),
        ("0,1,2,3,0.5", "six numbers"),
        ("0,1,2,3,a,b", "holds no numbers"),
    ],
)
def test_bad_points_on_a_head_are_an_error(tmp_path, row, message):
    path = tmp_path / "points.csv"
    path.write_text(f"point,a,b,c,share_a,share_b\n{row}\n")
    with pytest.raises(ValueError, match=message):
        read_points_on_head(path, 5)


def test_there_is_a_shipped_place_for_every_point_of_the_mesh():
    table = read_points_on_head(SHIPPED_POINTS, SHIPPED_SIZES[1])
    assert table.shape == (468, 5)
    # Left and right corner of the eyes, and of the mouth, are no neighbors on the head.
    assert len({tuple(table[point, :3]) for point in (33, 133, 362, 263, 61, 291)}) == 6


def test_points_of_photos_are_read_by_name(tmp_path):
    path = tmp_path / "points.npz"
    points = np.arange(478 * 3, dtype=np.float32).reshape(478, 3)
    np.savez(path, **{"a.jpg": points})
    np.testing.assert_array_equal(read_photo_points(path, 468)["a.jpg"], points[:468, :2])
    with pytest.raises(ValueError, match=r"'a.jpg' are \(478, 3\), expected \(500, 2\)"):
        read_photo_points(path, 500)
    np.savez(path, **{"a.jpg": np.full((478, 2), np.nan)})
    with pytest.raises(ValueError, match="not finite"):
        read_photo_points(path, 468)
    with pytest.raises(FileNotFoundError, match="face_points.py"):
        read_photo_points(tmp_path / "none.npz", 468)
