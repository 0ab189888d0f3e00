"""What lies behind a head."""

import numpy as np

from df2net_hub.synthesis.appearance import procedural_assets
from df2net_hub.synthesis.backdrop import backdrop


def test_backdrops_are_positive_varied_and_of_the_asked_size():
    assets = procedural_assets()
    means = []
    for seed in range(30):
        behind = backdrop(np.random.default_rng(seed), assets, 48)
        assert behind.shape == (48, 48, 3) and behind.dtype == np.float32
        assert (behind >= 0).all() and np.isfinite(behind).all()
        means.append(behind.mean())
    assert max(means) > 4 * min(means)
