"""D-Net: shapes, parameters, a value by hand, the mask head and the working size."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from df2net_hub.modeling.dnet import DNet, DNetConfig, Down, Up
from df2net_hub.modeling.working_size import enlarged
from df2net_hub.registry import create_model

TINY = DNetConfig(width=2, levels=3, dropout=0.0)


def photo(*size: int, seed: int = 0) -> Tensor:
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def seeded(config: DNetConfig) -> DNet:
    torch.manual_seed(0)
    return DNet(config).eval()


def test_the_base_net_has_the_papers_parameters() -> None:
    with torch.device("meta"):
        assert parameters(create_model("dnet_base")) == 54_594_784


def test_channels_double_to_eight_times_the_width() -> None:
    with torch.device("meta"):
        model = DNet()
    assert [down.conv.out_channels for down in model.encoder] == [64, 128, 256, *5 * [512]]
    ups = [(up.conv.in_channels, up.conv.out_channels) for up in model.decoder]
    assert ups[:4] == [(512, 512), *3 * [(1024, 512)]]
    assert ups[4:] == [(1024, 256), (512, 128), (256, 64), (128, 64)]
    assert [up.dropout.p for up in model.decoder] == [0.5, 0.5, 0.5, 0, 0, 0, 0, 0]
    tail = [layer for layer in model.tail if isinstance(layer, nn.ConvTranspose2d)]
    assert [(conv.in_channels, conv.out_channels) for conv in tail] == [(64, 64), (64, 32), (32, 1)]


def test_the_first_and_the_deepest_level_have_no_batch_norm() -> None:
    normed = [isinstance(down.norm, nn.BatchNorm2d) for down in DNet(TINY).encoder]
    assert normed == [False, True, False]
    assert [down.activate for down in DNet(TINY).encoder] == [False, True, True]


@torch.no_grad()
@pytest.mark.parametrize("size", [(8, 8), (16, 24)])
def test_depth_has_the_size_of_the_photo(size: tuple[int, int]) -> None:
    assert seeded(TINY)(photo(*size)).shape == (2, 1, *size)
    assert seeded(replace(TINY, mask_head=True))(photo(*size)).shape == (2, 2, *size)


@torch.no_grad()
def test_features_have_the_shapes_that_the_comments_tell() -> None:
    model = seeded(replace(TINY, levels=4, tail_width=6))
    shapes: list[tuple[int, ...]] = []
    for module in (*model.encoder, *model.decoder, model.tail[-2]):
        module.register_forward_hook(lambda _, given, out: shapes.append(tuple(out.shape)))
    model(photo(32, 16))
    assert shapes[:4] == [(2, 2, 16, 8), (2, 4, 8, 4), (2, 8, 4, 2), (2, 16, 2, 1)]
    assert shapes[4:8] == [(2, 8, 4, 2), (2, 4, 8, 4), (2, 2, 16, 8), (2, 6, 32, 16)]
    assert shapes[8] == (2, 3, 32, 16)


@torch.no_grad()
def test_a_flat_photo_gives_the_depth_worked_out_by_hand() -> None:
    model = DNet(DNetConfig(width=2, levels=2)).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.zeros_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(1 - module.eps)  # in evaluation mode: the identity
    first, second = (down.conv.weight for down in model.encoder)
    first[0, 0, 1, 1], first[1, 0, 1, 1] = 1.0, -1.0  # red and its negative
    second[0, 1, 1, 1] = -3.0  # reads the negative
    deep, shallow = (up.conv.weight for up in model.decoder)
    deep[0, 0, 1:3, 1:3] = 2.0  # these four taps of a transposed kernel repeat each pixel 2 x 2
    shallow[0, 0, 1:3, 1:3] = 1.0  # [decoder (2), encoder (2)]
    shallow[2, 0, 1:3, 1:3] = 10.0
    for layer, weight in ((1, 0.5), (4, 1.0), (7, -1.0)):
        model.tail[layer].weight[0, 0, 1, 1] = weight

    flat = torch.zeros(1, 3, 8, 4)
    flat[:, 0], flat[:, 1] = 0.5, 0.9
    # Encoder: 0.5 and -0.5; LeakyReLU(0.2): -0.1; x -3 = 0.3. Decoder: 0.6; 0.6 + 10 x 0.5 = 5.6.
    # Tail: 2.8, 2.8, -2.8: no activation at the end.
    assert torch.allclose(model(flat), torch.tensor(-2.8))


@torch.no_grad()
def test_down_halves_and_up_doubles() -> None:
    down, up = Down(1, 1, activate=True, normalize=False), Up(1, 1, dropout=0.0).eval()
    nn.init.ones_(down.conv.weight)
    nn.init.ones_(up.conv.weight)
    up.norm.running_var.fill_(1 - up.norm.eps)
    halved = down(torch.full((1, 1, 8, 8), -1.0))
    assert halved[0, 0, 1:3, 1:3].tolist() == [[pytest.approx(-3.2)] * 2] * 2  # 16 taps of -0.2
    assert halved[0, 0, 0, 0].item() == pytest.approx(-1.8)  # nine of them in the corner
    doubled = up(torch.ones(1, 1, 4, 4))
    assert torch.allclose(doubled[0, 0, 1:-1, 1:-1], torch.tensor(4.0))  # each pixel has four taps
    assert torch.equal(up(torch.full((1, 1, 4, 4), -1.0)), torch.zeros(1, 1, 8, 8))  # ReLU


def test_the_mask_head_is_one_output_channel_more() -> None:
    depth_only, both = seeded(TINY), seeded(replace(TINY, mask_head=True))
    assert parameters(both) - parameters(depth_only) == 9 * TINY.width // 2
    weights = both.state_dict()
    weights["tail.7.weight"] = weights["tail.7.weight"][:, :1]
    depth_only.load_state_dict(weights)
    assert torch.allclose(both(photo(8, 8))[:, :1], depth_only(photo(8, 8)), atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("mask_head", [False, True])
@pytest.mark.parametrize("size", [(64, 64), (64, 48), (32, 64), (48, 48)])
def test_the_working_size_keeps_height_and_width(size: tuple[int, int], mask_head: bool) -> None:
    model = seeded(replace(TINY, working_size=32, mask_head=mask_head))
    sizes: list[tuple[int, ...]] = []
    model.encoder[0].register_forward_hook(
        lambda _, given, out: sizes.append(tuple(given[0].shape[-2:]))
    )
    assert model(photo(*size)).shape == (2, 2 if mask_head else 1, *size)
    ((height, width),) = sizes
    assert max(height, width) == 32 and height * size[1] == width * size[0]


@torch.no_grad()
@pytest.mark.parametrize("mask_head", [False, True])
def test_at_its_working_size_and_below_a_net_computes_what_it_does_without_one(
    mask_head: bool,
) -> None:
    config = replace(TINY, mask_head=mask_head)
    bounded, free = seeded(replace(config, working_size=32)), seeded(config)
    for size in ((32, 32), (16, 32), (16, 8)):
        assert torch.equal(bounded(photo(*size)), free(photo(*size)))


@torch.no_grad()
def test_above_its_working_size_a_net_sees_the_mean_of_each_area() -> None:
    model = seeded(replace(TINY, working_size=16))
    small = photo(16, 16)
    depth = model(small.repeat_interleave(4, -1).repeat_interleave(4, -2))
    assert depth.shape == (2, 1, 64, 64)
    expected = enlarged(model(small), (64, 64))
    assert torch.allclose(depth, expected, atol=1e-6)


def test_the_tail_width_changes_the_layers_at_full_size_only() -> None:
    slim, wide = DNet(replace(TINY, tail_width=4)), DNet(replace(TINY, width=4))
    assert [slim.tail[layer].weight.shape for layer in (1, 4, 7)] == [
        wide.tail[layer].weight.shape for layer in (1, 4, 7)
    ]
    as_wide = DNet(replace(TINY, tail_width=TINY.width)).state_dict()
    for key, value in DNet(TINY).state_dict().items():
        assert as_wide[key].shape == value.shape, key


@torch.no_grad()
def test_dropout_is_a_matter_of_training_alone() -> None:
    model = seeded(replace(TINY, dropout=0.5))
    assert torch.equal(model(photo(8, 8)), seeded(TINY)(photo(8, 8)))
    model.train()
    assert not torch.equal(model(photo(16, 16)), model(photo(16, 16)))


@pytest.mark.parametrize(
    "working_size, given, told", [(0, (8, 12), "8 x 12"), (32, (64, 40), "32 x 20")]
)
def test_a_size_that_the_levels_do_not_divide_is_an_error(
    working_size: int, given: tuple[int, int], told: str
) -> None:
    with pytest.raises(ValueError) as error:
        seeded(replace(TINY, working_size=working_size))(photo(*given))
    assert str(error.value) == (
        f"a network with 3 levels needs height and width that are multiples of 8, got {told}"
    )


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"width": 0}, "width must be even and positive, got 0"),
        ({"width": 3}, "width must be even and positive, got 3"),
        ({"tail_width": 3}, "tail_width must be even and 0 or more, got 3"),
        ({"tail_width": -2}, "tail_width must be even and 0 or more, got -2"),
        ({"levels": 1}, "levels must be 2 or more, got 1"),
        (
            {"working_size": 100},
            "working_size must be 0 or a multiple of 2**levels = 256, got 100",
        ),
        (
            {"working_size": -256},
            "working_size must be 0 or a multiple of 2**levels = 256, got -256",
        ),
        ({"dropout": 1.0}, "dropout must be in [0,1), got 1.0"),
        ({"dropout": -0.1}, "dropout must be in [0,1), got -0.1"),
    ],
)
def test_a_config_value_that_makes_no_sense_is_named(changes: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError) as error:
        replace(DNetConfig(), **changes)
    assert str(error.value) == f"DNetConfig.{words}"
