"""Image, depth, mask and normals of a projected mesh agree at the pixel, on an analytic face."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.faces import FaceBox
from df2net_hub.importing.projection import View, frontal_view, photo_view
from df2net_hub.importing.surface import FaceSurface, Rejected, weak_perspective

CENTER = (130.0, 110.0)
BOX = FaceBox(20.5, 0.5, 220.0, 1.0, "given")
SIZE = 330  # 1.5 pixels per pixel of the photo


def posed(ellipsoid, turn: np.ndarray, flipped: bool = False) -> FaceSurface:
    photo = ellipsoid.photo(260, 220, CENTER, turn)
    triangles = ellipsoid.triangles[:, ::-1] if flipped else ellipsoid.triangles
    points = ellipsoid.in_photo(CENTER, turn)
    return weak_perspective(photo, points, np.ascontiguousarray(triangles), frontal=turn.T)


def frontal(surface: FaceSurface, turn: np.ndarray) -> tuple[View, np.ndarray, np.ndarray, float]:
    """The view of 220 px about the ellipsoid's middle; x, y [px] from there; its height there."""
    middle = np.array([CENTER[0], -CENTER[1], 0.0]) @ turn
    box = FaceBox(float(middle[0]) - 110, float(-middle[1]) - 110, 220.0, 1, "given")
    x, y = grid(box, (middle[0], -middle[1]))
    return frontal_view(surface, box, SIZE), x, y, middle[2]


def grid(box: FaceBox, middle: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Right, up [px of the photo] from `middle` of every pixel of a picture of `box`."""
    edge = (np.arange(SIZE) + 0.5) * box.side / SIZE - 0.5
    x, y = np.meshgrid(box.x + edge, box.y + edge)
    return x - middle[0], middle[1] - y


@pytest.mark.parametrize("flipped", [False, True])
def test_depth_in_the_photos_view_is_the_analytic_height(ellipsoid, flipped: bool) -> None:
    turn = ellipsoid.turn(20, 10)
    view = photo_view(posed(ellipsoid, turn, flipped), BOX, SIZE)
    truth = ellipsoid.surface(*grid(BOX, CENTER), turn)[..., 2] * SIZE / BOX.side
    assert np.isfinite(truth[view.mask]).all()
    wrong = np.abs(view.height_px - truth)[view.mask]
    assert wrong.mean() < 0.06 and np.quantile(wrong, 0.96) < 0.3  # steepest at the mesh's rim
    assert np.isnan(view.height_px[~view.mask]).all()


def test_normals_are_those_of_the_surface(ellipsoid) -> None:
    turn = ellipsoid.turn(20, 10)
    view = photo_view(posed(ellipsoid, turn), BOX, SIZE)
    truth = ellipsoid.normals(ellipsoid.surface(*grid(BOX, CENTER), turn), turn)
    cosine = (truth * view.normals).sum(-1)[view.mask]
    degrees = np.degrees(np.arccos(cosine.clip(-1, 1)))
    assert degrees.mean() < 0.3 and np.quantile(degrees, 0.96) < 2


def test_the_mask_is_what_faces_the_camera(ellipsoid) -> None:
    turn = ellipsoid.turn(35)
    view = photo_view(posed(ellipsoid, turn), BOX, SIZE)
    points = ellipsoid.surface(*grid(BOX, CENTER), turn)
    truth = ellipsoid.normals(points, turn)[..., 2] > 0.2
    assert (view.mask != truth).mean() < 0.004
    assert (view.mask & truth).sum() > 10000


def test_the_photos_view_is_the_crop_itself(ellipsoid) -> None:
    surface = posed(ellipsoid, np.eye(3))
    view = photo_view(surface, FaceBox(20, 0, 220, 1, "given"), 220)
    assert (view.image == surface.photo[:, 20:240]).all()


def test_the_frontal_view_shows_every_point_with_its_own_color_and_height(ellipsoid) -> None:
    turn = ellipsoid.turn(25, -10)
    view, x, y, middle = frontal(posed(ellipsoid, turn), turn)
    points = ellipsoid.surface(x, y, np.eye(3))
    wrong = np.abs(view.height_px - (middle + points[..., 2]) * SIZE / 220)[view.mask]
    assert wrong.mean() < 0.06 and np.quantile(wrong, 0.96) < 0.3
    difference = np.abs(view.image - ellipsoid.colors(points))[view.mask].max(axis=1)
    assert difference.mean() < 1 and np.quantile(difference, 0.98) < 4  # colors of [0,255]


def test_what_the_photo_hides_is_not_in_the_frontal_mask(ellipsoid) -> None:
    turn = ellipsoid.turn(40)
    view, x, y, _ = frontal(posed(ellipsoid, turn), turn)
    normals = ellipsoid.normals(ellipsoid.surface(x, y, np.eye(3)), np.eye(3))
    truth = (normals[..., 2] > 0.2) & ((normals @ turn.T)[..., 2] > 0.2)
    assert (view.mask != truth).mean() < 0.004
    assert view.mask[165, 90] and not view.mask[165, 240]  # turned to the right: its right hides


def test_a_nose_hides_the_cheek_behind_it(ellipsoid) -> None:
    turn = ellipsoid.turn(45)
    # A wall along the middle: a thin second ellipsoid that stands 60 px out of the first.
    wall = ellipsoid.vertices * [0.05, 0.5, 2.2]
    both = replace(
        ellipsoid,
        vertices=np.concatenate([ellipsoid.vertices, wall]),
        triangles=np.concatenate([ellipsoid.triangles, ellipsoid.triangles + len(wall)]),
    )
    with_wall = frontal(posed(both, turn), turn)[0].mask
    without = frontal(posed(ellipsoid, turn), turn)[0].mask
    right_of_wall = (slice(150, 180), slice(180, 200))
    assert without[right_of_wall].all() and not with_wall[right_of_wall].any()
    left_of_wall = (slice(150, 180), slice(120, 150))
    assert without[left_of_wall].all() and with_wall[left_of_wall].all()


def test_off_the_photo_there_is_no_face(ellipsoid) -> None:
    center = (30.0, 110.0)  # the photo's edge cuts the left quarter off
    photo = ellipsoid.photo(260, 220, center, np.eye(3))
    points = ellipsoid.in_photo(center, np.eye(3))
    surface = weak_perspective(photo, points, ellipsoid.triangles, frontal=np.eye(3))
    view = photo_view(surface, FaceBox(-80, 0, 220, 1, "given"), 220)
    assert not view.mask[:, :80].any()
    assert view.mask[110, 80:160].all()


def test_a_mask_of_the_photo_cuts_the_face(ellipsoid) -> None:
    visible = np.zeros((220, 260), bool)
    visible[:110] = True
    surface = replace(posed(ellipsoid, np.eye(3)), visible=visible)
    mask = photo_view(surface, FaceBox(20, 0, 220, 1, "given"), 220).mask
    assert mask[109, 110] and not mask[110:].any()


def test_a_mesh_beside_the_photo_is_refused(ellipsoid) -> None:
    photo = np.zeros((220, 260, 3), np.uint8)
    points = ellipsoid.in_photo((400.0, 110.0), np.eye(3))
    with pytest.raises(Rejected, match="outside the photo"):
        weak_perspective(photo, points, ellipsoid.triangles)


def test_vertices_that_are_no_numbers_are_refused(ellipsoid) -> None:
    points = ellipsoid.in_photo(CENTER, np.eye(3))
    points[7, 2] = np.nan
    with pytest.raises(Rejected, match="not finite"):
        weak_perspective(np.zeros((220, 260, 3), np.uint8), points, ellipsoid.triangles)


def test_a_crop_that_misses_the_mesh_is_refused(ellipsoid) -> None:
    with pytest.raises(Rejected, match="hardly anything"):
        photo_view(posed(ellipsoid, np.eye(3)), FaceBox(0, 0, 24, 1, "given"), 64)


def test_without_a_pose_there_is_no_frontal_view(ellipsoid) -> None:
    surface = replace(posed(ellipsoid, np.eye(3)), frontal=None)
    with pytest.raises(ValueError, match="frontal reference"):
        frontal_view(surface, BOX, 64)


@pytest.mark.parametrize("side", [64.0, 61.7, 40.0])
def test_a_grid_of_pixels_has_no_cracks(side: float) -> None:
    """Every vertex and diagonal of a depth map at full size goes through pixel centers."""
    rows, columns = np.mgrid[0:64, 0:64]
    points = np.column_stack([columns.ravel(), rows.ravel(), 0.37 * columns.ravel()])
    index = np.arange(64 * 64).reshape(64, 64)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    corners = [np.stack(t, -1).reshape(-1, 3) for t in ((a, c, b), (d, b, c))]
    surface = weak_perspective(
        np.zeros((64, 64, 3), np.uint8), points, np.concatenate(corners).astype(np.int32)
    )
    for size in (64, 512):
        mask = photo_view(surface, FaceBox(0, 0, side, 1, "given"), size).mask
        edge = int(np.ceil(size / side)) + 1  # the mesh ends at the middle of the outer pixels
        assert mask[edge:-edge, edge:-edge].all()


def test_what_is_cut_off_by_grazing_angles_is_left_out(ellipsoid) -> None:
    surface = posed(ellipsoid, np.eye(3))
    speck = surface.pixels[:3] * 0 + [[190, 20], [193, 20], [190, 24]]
    both = weak_perspective(
        surface.photo,
        np.column_stack(
            [np.concatenate([surface.pixels, speck]), np.append(surface.shape[:, 2], [0, 0, 0])]
        ),
        np.concatenate([surface.triangles, len(surface.pixels) + np.array([[0, 1, 2]], np.int32)]),
    )
    box = FaceBox(20, 0, 220, 1, "given")
    assert (photo_view(both, box, 220).mask == photo_view(surface, box, 220).mask).all()
