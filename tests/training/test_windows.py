"""Windows: where they lie, what they cut, and that a stage on them is the stage on the whole."""

import torch

from df2net_hub.losses import network_normals
from df2net_hub.training.stage import StageTrainer, open_network, seen_by
from df2net_hub.training.windows import Windows, draw_windows
from tests.training_runs import quick


def test_a_window_is_cut_at_its_corner() -> None:
    maps = torch.arange(2 * 6 * 8.0).reshape(2, 1, 6, 8)
    cut = Windows(((1, 2), (0, 4)), 4).cut(maps)
    assert torch.equal(cut[0], maps[0, :, 1:5, 2:6]) and torch.equal(cut[1], maps[1, :, :4, 4:])


def test_windows_lie_on_the_face_and_in_the_photo() -> None:
    mask = torch.zeros(3, 1, 20, 20, dtype=torch.bool)
    mask[0, 0, 10, 7] = True  # in the middle of its window
    mask[1, 0, 19, 0] = True  # at the corner of the photo
    corners = draw_windows(mask, 8).corners  # and an empty one
    assert corners == ((6, 3), (12, 0), (6, 6))


def test_every_pixel_of_the_face_is_drawn_at_times() -> None:
    mask = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    mask[..., 15:17, 15:17] = True
    torch.manual_seed(0)
    drawn = {draw_windows(mask, 8).corners[0] for _ in range(100)}
    assert drawn == {(11, 11), (11, 12), (12, 11), (12, 12)}


def test_a_refining_stage_says_on_a_window_what_it_says_on_the_whole(tiny, tmp_path) -> None:
    config = quick("unused", tiny, tmp_path, stage="fine", window=64).for_stage("fine")
    network = open_network(config)
    torch.manual_seed(0)
    for parameter in network.fine.parameters():  # away from the start, which changes nothing
        torch.nn.init.normal_(parameter, std=0.3)
    trainer = StageTrainer(network, "fine", network.fine).eval()
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(1, 1, 128, 128, dtype=torch.bool)
    mask[..., 64, 64] = True
    batch = {
        "id": ["one"],
        "image": torch.rand(1, 3, 128, 128, generator=generator) * 2 - 1,
        "depth": torch.rand(1, 1, 128, 128, generator=generator),
        "mask": mask,
    }
    with torch.no_grad():
        whole = seen_by(trainer, "fine", batch, "truth")
        part = seen_by(trainer, "fine", batch, "truth", window=config.window)
    assert part.batch["id"] == ["one"] and part.depth.shape == (1, 1, 64, 64)
    assert torch.equal(part.target_depth, batch["depth"][..., 32:96, 32:96])
    # F-Net looks 26 px around each pixel, so the window's middle knows no border.
    middle, same = part.depth[..., 28:36, 28:36], whole.depth[..., 60:68, 60:68]
    assert (whole.depth - whole.given).abs().max() > 0.05
    torch.testing.assert_close(middle, same, atol=1e-5, rtol=0)
    # Normals know that the window is part of a larger crop.
    inner = (..., slice(33, 95), slice(33, 95))
    torch.testing.assert_close(
        part.target_normals[..., 1:-1, 1:-1], network_normals(batch["depth"])[inner]
    )
