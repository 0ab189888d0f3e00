"""D-Net around a timm encoder; what does not need timm is tested without it."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import Tensor

from df2net_hub.modeling.dnet_timm import TimmDNet, TimmDNetConfig
from df2net_hub.modeling.working_size import enlarged

needs_timm = pytest.mark.skipif(
    importlib.util.find_spec("timm") is None, reason="timm is not installed"
)
TINY = TimmDNetConfig("mobilenetv3_small_050", widths=(4, 4, 4, 4), working_size=0)


def photo(*size: int) -> Tensor:
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widths": ()}, "one or more positive numbers"),
        ({"widths": (4, 0)}, "one or more positive numbers"),
        ({"working_size": -1}, "0 or more, got -1"),
    ],
)
def test_sizes_that_make_no_network_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimmDNetConfig(**values)


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed")
def test_without_timm_the_error_says_how_to_install_it() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"timm is not installed: pip install 'df2net"):
        TimmDNet()


@needs_timm
@torch.no_grad()
@pytest.mark.parametrize(
    ("encoder", "widths"), [("mobilenetv3_small_050", (4, 4, 4, 4)), ("convnext_atto", (4, 4, 4))]
)
def test_depth_and_mask_have_the_size_of_the_photo(encoder: str, widths: tuple[int, ...]) -> None:
    for mask_head, maps in ((True, 2), (False, 1)):
        model = TimmDNet(TimmDNetConfig(encoder, widths, 0, mask_head)).eval()
        assert model(photo(32, 64)).shape == (2, maps, 32, 64)


@needs_timm
@torch.no_grad()
def test_larger_photos_are_seen_at_the_working_size() -> None:
    works = TimmDNet(TimmDNetConfig(TINY.encoder, TINY.widths, working_size=32)).eval()
    whole = TimmDNet(TINY).eval()
    whole.load_state_dict(works.state_dict())
    large, small = (photo(8, 8).repeat_interleave(n, -1).repeat_interleave(n, -2) for n in (8, 4))
    again = enlarged(whole(small), (64, 64))
    torch.testing.assert_close(works(large), again, atol=1e-5, rtol=0)


@needs_timm
def test_every_weight_learns() -> None:
    model = TimmDNet(TINY).train()
    model(photo(32, 32)).square().mean().backward()
    assert all(
        one.grad is not None and one.grad.abs().sum() > 0 for one in model.skips.parameters()
    )
    assert all(one.grad is not None for one in model.parameters())


@needs_timm
def test_a_saved_network_is_the_same_again(tmp_path: Path) -> None:
    model = TimmDNet(TINY).eval()
    model.save_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(TimmDNet.from_pretrained(tmp_path)(photo(32, 32)), model(photo(32, 32)))


@needs_timm
def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(ValueError, match="timm has no encoder 'resnet-eighteen'"):
        TimmDNet(TimmDNetConfig("resnet-eighteen"))


@needs_timm
def test_widths_must_fit_the_encoder() -> None:
    with pytest.raises(ValueError, match=r"gives 5 maps, so TimmDNetConfig.widths must be 4"):
        TimmDNet(TimmDNetConfig(TINY.encoder, widths=(4, 4)))


@needs_timm
def test_an_encoder_of_one_size_is_refused() -> None:
    with pytest.raises(ValueError, match="needs each at half the size"):
        TimmDNet(TimmDNetConfig("vit_tiny_patch16_224", widths=(4, 4)))


@needs_timm
def test_a_size_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        TimmDNet(TINY).eval()(photo(32, 40))
