"""Tables of landmarks and of matched vertices."""

import numpy as np
import pytest

from df2net_hub.assets.landmarks_file import read_landmarks, read_matches
from df2net_hub.commands.assets import SHIPPED_MATCHES, SHIPPED_SIZES


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
