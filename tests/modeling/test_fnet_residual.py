"""The residual F-Net: the identity it starts from, what it is given, the working size."""

import pytest
import torch
from torch import Tensor

from df2net_hub.modeling.dnet_residual import ResidualDNet, ResidualDNetConfig
from df2net_hub.modeling.fnet_residual import ResidualFNet, ResidualFNetConfig
from df2net_hub.modeling.working_size import enlarged
from df2net_hub.registry import create_model, list_models

TINY = ResidualFNetConfig(widths=(4, 8), blocks=(0, 1), working_size=16)


def inputs(*size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    photo = torch.rand(2, 3, *size, generator=generator) * 2 - 1
    return photo, torch.rand(2, 1, *size, generator=generator) * 2 - 1


def awake(config: ResidualFNetConfig = TINY) -> ResidualFNet:
    """A network that adds something."""
    torch.manual_seed(0)
    model = ResidualFNet(config).eval()
    torch.nn.init.normal_(model.last.weight, std=1.6)
    return model


@torch.no_grad()
def test_it_starts_as_the_identity_and_adds() -> None:
    photo, depth = inputs(8, 12)
    model = ResidualFNet(TINY).eval()
    assert torch.equal(model(photo, depth), depth)
    model.last.bias.fill_(4)  # sixteenths of a network unit
    torch.testing.assert_close(model(photo, depth), depth + 0.25)


@torch.no_grad()
def test_it_is_given_the_photo_the_height_and_normals_in_the_pixels_it_works_at() -> None:
    model, given = awake(), []
    model.downs[0].register_forward_hook(lambda _, args, out: given.append(args[0]))
    photo, _ = inputs(8, 8)
    # A window of a crop of 16 px, so of 16 / 512 of the pixels that the unit of depth counts.
    # 45 degrees to the right: one pixel of height a pixel.
    slope = torch.arange(8.0).expand(2, 1, 8, 8) / (127.5 * 16 / 512)
    model(photo, slope)
    (seen,) = given
    assert seen.shape == (2, 7, 8, 8)
    assert torch.equal(seen[:, :3], photo)
    assert torch.equal(seen[:, 3:4], slope)
    half = 0.5**0.5
    expected = torch.tensor([-half, 0.0, half]).view(1, 3, 1, 1).expand(2, 3, 8, 6)
    torch.testing.assert_close(seen[:, 4:, :, 1:-1], expected)


@torch.no_grad()
def test_it_begins_with_what_a_dnet_knows_and_adds_nothing_yet() -> None:
    torch.manual_seed(1)
    dense = ResidualDNet(ResidualDNetConfig((4, 8), (0, 1), working_size=0)).eval()
    for module in dense.modules():  # a trained one
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    model = ResidualFNet(TINY).eval()
    before = model.downs[0][0].weight.clone()
    model.begin_with(dense)
    photo, depth = inputs(8, 8)
    assert torch.equal(model(photo, depth), depth)
    torch.testing.assert_close(model.downs[0][0].weight[:, 3:], 0.3 * before[:, 3:])
    # With no depth given, only the last layer sets it apart from the D-Net.
    model.downs[0][0].weight[:, 3:] = 0
    model.last.weight.copy_(dense.last.weight[:4])
    model.last.bias.copy_(dense.last.bias[:4])
    torch.testing.assert_close(model(photo, depth) - depth, dense(photo)[:, :1] / 16)


def test_a_dnet_of_more_blocks_cannot_begin_it() -> None:
    dense = ResidualDNet(ResidualDNetConfig((4, 8), (1, 1), working_size=0))
    with pytest.raises(
        ValueError, match=r"cannot begin with ResidualDNetConfig\(.*blocks=\(1, 1\)"
    ):
        ResidualFNet(TINY).begin_with(dense)


@torch.no_grad()
def test_what_is_added_to_a_large_photo_is_found_at_the_working_size() -> None:
    works = whole = awake()
    photo, depth = inputs(4, 4)
    large, small = (
        [maps.repeat_interleave(n, -1).repeat_interleave(n, -2) for maps in (photo, depth)]
        for n in (8, 4)
    )
    added = whole(*small) - small[1]
    again = enlarged(added, (32, 32))
    assert again.abs().max() > 0.01
    torch.testing.assert_close(works(*large), large[1] + again, atol=1e-5, rtol=0)


def test_a_size_that_does_not_halve_to_the_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="multiples of 4, got 10 x 8"):
        awake()(*inputs(10, 8))


@torch.no_grad()
def test_a_window_of_the_working_size_is_refined_as_in_the_whole() -> None:
    """Far enough from the window's edge, of what is around it nothing is seen."""
    model = awake(ResidualFNetConfig(widths=(4, 8), blocks=(0, 0), working_size=64))
    photo, depth = inputs(64, 64)
    window = slice(16, 48)
    part = model(photo[..., window, window], depth[..., window, window])
    whole = model(photo, depth)[..., window, window]
    assert (part - whole).abs().max() > 1e-3
    inner = slice(12, 20)
    torch.testing.assert_close(part[..., inner, inner], whole[..., inner, inner])


@pytest.mark.parametrize(
    ("size", "message"),
    [(100, "working_size must be 0 or a multiple of 2.*got 100"), (0, "must be positive, got 0")],
)
def test_a_wrong_config_is_named(size: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"ResidualFNetConfig.*{message}"):
        ResidualFNetConfig(working_size=size)


def test_it_is_in_the_zoo_as_a_fine_network() -> None:
    assert "fnet_residual" in list_models("fine")
    with torch.device("meta"):
        model = create_model("fnet_residual")
    assert model.config == ResidualFNetConfig()


def test_saved_weights_load_again(tmp_path) -> None:
    model = awake()
    model.save_pretrained(tmp_path)
    again = ResidualFNet.from_pretrained(tmp_path)
    assert again.config == TINY
    with torch.no_grad():
        assert torch.equal(again(*inputs(8, 8)), model(*inputs(8, 8)))
