"""Necks go, chins, lips and noses stay."""

import numpy as np

from df2net_hub.pipelines.neck import without_neck


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((512, 512), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_a_neck_below_a_steep_fold_is_no_face() -> None:
    face, neck = box(100, 400, 130, 380), box(400, 460, 200, 320)
    rows = np.mgrid[:512, :512][0]
    depth = np.clip((400 - rows) * 8.0, -80, 0)  # falls by 80 px within 10 rows: 83 degrees
    kept = without_neck(face | neck, depth)
    assert not kept[402:].any()
    assert kept[box(124, 376, 130, 380)].all()  # corners of a box are rounder than a disk
    assert kept[390, 150:360].all()


def test_a_neck_behind_a_slope_that_no_jaw_has_downward_is_no_face() -> None:
    face, neck = box(100, 400, 130, 380), box(400, 460, 200, 320)
    rows, columns = np.mgrid[:512, :512]
    below = np.clip((400 - rows) * 2.0, -80, 0)  # falls at 63 degrees under the chin
    assert not without_neck(face | neck, below)[438:].any()
    gentle = np.clip((400 - rows) * 1.2, -80, 0)  # 50 degrees, as seen from below
    assert without_neck(face | neck, gentle)[430, 210:310].all()
    sideways = np.clip((columns - 180) * 2.0, -100, 0)  # a cheek turns away like that
    assert without_neck(face, sideways)[box(124, 370, 136, 380)].all()


def test_a_neck_that_is_joined_to_the_jaw_beside_the_fold_is_no_face() -> None:
    face, neck = box(100, 400, 130, 380), box(400, 460, 150, 320)
    rows, columns = np.mgrid[:512, :512]
    # To the left the fold runs out: there neck and cheek are one even surface.
    depth = np.clip((400 - rows) * 8.0, -80, 0) * np.clip((columns - 170) / 40, 0, 1)
    kept = without_neck(face | neck, depth)
    assert not kept[box(404, 460, 215, 320)].any()
    assert kept[box(124, 376, 136, 374)].all()


def test_beside_the_fold_of_a_turned_jaw_the_neck_ends_where_the_chin_does() -> None:
    mask = box(100, 470, 130, 380)
    rows, columns = np.mgrid[:512, :512]
    depth = np.clip((400 - rows) * 8.0, -80, 0) * (columns < 220)  # the rest is one surface
    kept = without_neck(mask, depth)
    assert not kept[405:].any()
    assert kept[box(124, 376, 136, 374)].all()


def test_beside_the_fold_the_neck_is_cut_where_the_jaw_would_go_on() -> None:
    mask = box(100, 470, 130, 380)
    rows, columns = np.mgrid[:512, :512]
    jaw = 400 - 0.5 * np.abs(columns - 255)
    depth = np.clip((jaw - rows) * 8.0, -80, 0) * (np.abs(columns - 255) < 70)
    kept = without_neck(mask, depth)
    assert not kept[(rows > jaw + 8) & (np.abs(columns - 255) < 120)].any()
    inner = (rows < jaw - 8) & (np.abs(columns - 255) < 110) & (rows > 110)
    assert kept[inner & (np.abs(np.abs(columns - 255) - 70) > 8)].all()


def test_a_round_chin_is_kept_down_to_where_it_is_steepest() -> None:
    mask = box(100, 480, 130, 380)
    rows = np.mgrid[:512, :512][0]
    chin = np.sqrt(np.maximum(60.0**2 - np.clip(rows - 350, 0, 60) ** 2, 0))  # a cylinder
    neck = np.clip((410 - rows) * 1.0, -60, 0)
    kept = without_neck(mask, chin + neck)
    assert kept[box(124, 404, 150, 360)].all()
    assert not kept[412:].any()


def test_lips_and_a_narrow_fold_are_no_jaw() -> None:
    mask = box(100, 400, 130, 380)
    rows = np.mgrid[:512, :512][0]
    lips = np.where(box(300, 308, 180, 330), (308 - rows) * 5.0, 0.0)  # wide, and above
    assert without_neck(mask, lips)[box(124, 376, 136, 374)].all()
    dimple = np.where(box(370, 380, 235, 275), (380 - rows) * 5.0, 0.0)  # below, and narrow
    assert without_neck(mask, dimple)[box(124, 376, 136, 374)].all()


def test_lips_and_noses_are_no_jaw_where_the_photo_ends_above_the_chin() -> None:
    mask, kept = box(100, 340, 130, 380), box(124, 316, 136, 374)
    rows = np.mgrid[:512, :512][0]
    lips = np.where(box(300, 308, 180, 330), (300 - rows) * 5.0, 0.0)  # and the lower one as near
    assert without_neck(mask, lips)[kept].all()
    behind = np.where(rows >= 308, -40.0, lips)
    assert not without_neck(mask, behind)[308:, 180:330].any()  # as a neck, it would be one
    nose = np.where(box(0, 308, 220, 290), np.clip((300 - rows) * 5.0, -40, 0), -40.0)
    assert without_neck(mask, nose)[kept].all()


def test_a_neck_without_a_fold_stays_unless_it_is_a_tongue() -> None:
    face, flat = box(100, 400, 130, 380), np.zeros((512, 512))
    wide = face | box(400, 440, 200, 320)
    assert without_neck(wide, flat)[box(400, 416, 200, 320)].all()
    assert not without_neck(face | box(400, 440, 240, 270), flat)[407:].any()


def test_a_tongue_of_forehead_between_strands_of_hair_is_left_out() -> None:
    face, flat = box(150, 400, 130, 380), np.zeros((512, 512))
    kept = without_neck(face | box(100, 150, 240, 270) | box(100, 150, 300, 370), flat)
    assert not kept[:144, :290].any()
    assert kept[130:200, 310:360].all()


def test_steep_sides_and_folds_above_the_chin_stay() -> None:
    mask = box(100, 400, 130, 380)
    columns = np.mgrid[:512, :512][1]
    cheek = np.clip((columns - 160) * 6.0, -200, 0)  # 81 degrees along the left side
    above_chin = box(124, 320, 130, 380)
    assert without_neck(mask, cheek)[above_chin].all()
    assert without_neck(mask, np.where(columns > 250, 60.0, 0.0))[above_chin].all()  # a nose's edge


def test_a_steep_dent_in_the_jaw_stays() -> None:
    mask = box(100, 400, 130, 380)
    columns = np.mgrid[:512, :512][1]
    dent = np.where(box(335, 365, 0, 512), np.clip((columns - 150) * 6.0, -200, 0), 0.0)
    assert without_neck(mask, dent)[box(124, 370, 136, 380)].all()


def test_no_face_has_no_neck() -> None:
    assert not without_neck(np.zeros((512, 512), bool), np.zeros((512, 512))).any()
