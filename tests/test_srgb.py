"""The encoding of photos and linear light."""

import pytest
import torch

from df2net_hub.srgb import to_linear, to_srgb


def test_encoding_and_decoding_are_inverse_and_clip() -> None:
    values = torch.tensor([0.01, 0.2, 0.5, 1.0])
    torch.testing.assert_close(to_srgb(to_linear(values)), values)
    assert to_srgb(torch.tensor(3.0)) == 1
    assert to_linear(torch.tensor(-0.5)) == 0


def test_half_of_the_code_is_a_fifth_of_the_light() -> None:
    assert to_linear(torch.tensor(0.5)).item() == pytest.approx(0.2176, abs=1e-4)


def test_black_has_a_finite_gradient() -> None:
    black = torch.zeros(3, requires_grad=True)
    to_srgb(black).sum().backward()
    assert torch.isfinite(black.grad).all()
