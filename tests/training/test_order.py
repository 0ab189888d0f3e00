"""Every row once an epoch, whatever the batch and the position that a run goes on from."""

import pytest

from df2net_hub.training.order import Order, StepBatches, draws


def test_an_epoch_has_every_row_once_and_each_epoch_another_order():
    order = Order([7, 5], (), seed=1)
    first, second = order.keys(0, 12), order.keys(12, 12)
    rows = {(0, row) for row in range(7)} | {(1, row) for row in range(5)}
    for epoch, keys in enumerate((first, second)):
        assert sorted((number, row) for number, _, row in keys) == sorted(rows)
        assert {turn for _, turn, _ in keys} == {epoch}
    assert [key[2] for key in first] != [key[2] for key in second]


def test_batches_go_on_across_epochs_and_lose_no_row():
    batches = iter(StepBatches(Order([7], (), seed=0), 4, 0))
    seen = [key for _ in range(7) for key in next(batches)]
    assert sorted(key[1:] for key in seen) == [(turn, row) for turn in range(4) for row in range(7)]


def test_a_sampler_that_begins_later_gives_what_the_first_gives_there():
    order = Order([7, 5], (2, 1), seed=3)
    whole = iter(StepBatches(order, 5, 0))
    later = iter(StepBatches(Order([7, 5], (2, 1), seed=3), 5, 6))
    for _ in range(6):
        next(whole)
    assert [next(whole) for _ in range(5)] == [next(later) for _ in range(5)]


def test_shares_are_kept_and_a_set_is_gone_through_before_a_row_comes_again():
    order = Order([10, 30], (3, 1), seed=0)
    assert order.drawn == [30, 10]
    keys = order.keys(0, 40)
    small = sorted(key[1:] for key in keys if key[0] == 0)
    assert small == [(turn, row) for turn in range(3) for row in range(10)]
    large = {key[2] for epoch in range(3) for key in order.epoch(epoch) if key[0] == 1}
    assert large == set(range(30))  # three epochs are one pass


@pytest.mark.parametrize(
    ("lengths", "shares", "drawn"),
    [([4, 6], (), [4, 6]), ([4, 6], (1, 1), [5, 5]), ([3, 4], (1, 1), [4, 3]), ([1], (9,), [1])],
)
def test_draws_add_up_to_the_rows_there_are(lengths, shares, drawn):
    assert draws(lengths, shares) == drawn
