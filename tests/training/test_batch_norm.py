"""Batch normalization over two processes is that of one process with both batches."""

import gc
import weakref

import torch
import torch.multiprocessing as mp
from torch import nn

from df2net_hub.training.batch_norm import SharedBatchNorm2d, share_batch_norms


def _work(rank: int, rendezvous: str, results: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2
    )
    torch.set_num_threads(1)
    photos, network = _case()
    share_batch_norms(network, torch.device("cpu"))
    mine = photos[rank * 3 : rank * 3 + 3].requires_grad_()
    network(mine).square().mean().backward()
    values = {
        "gradient": mine.grad,
        "weight": network[1].weight.grad,
        "mean": network[1].running_mean,
        "var": network[1].running_var,
    }
    group = weakref.ref(torch.distributed.group.WORLD)
    torch.distributed.destroy_process_group()
    gc.collect()
    values["left"] = torch.tensor(group() is not None)
    torch.save(values, f"{results}{rank}")


def _case() -> tuple[torch.Tensor, nn.Sequential]:
    torch.manual_seed(1)
    photos = torch.randn(6, 3, 4, 4) * torch.arange(1.0, 7)[:, None, None, None]
    return photos, nn.Sequential(nn.Conv2d(3, 5, 1), nn.BatchNorm2d(5), nn.Tanh())


def test_two_processes_normalize_as_one(tmp_path):
    mp.spawn(_work, (str(tmp_path / "meet"), str(tmp_path / "result")), nprocs=2)
    first, second = (torch.load(tmp_path / f"result{n}", weights_only=True) for n in (0, 1))
    photos, network = _case()
    photos.requires_grad_()
    network(photos).square().mean().backward()
    both = torch.cat([first["gradient"], second["gradient"]]) / 2  # each took a mean over half
    torch.testing.assert_close(both, photos.grad, rtol=1e-4, atol=1e-6)
    mean_of_weight = (first["weight"] + second["weight"]) / 2
    torch.testing.assert_close(mean_of_weight, network[1].weight.grad, rtol=1e-4, atol=1e-6)
    for one in (first, second):
        assert not one["left"]  # the group's threads must end before Python does
        torch.testing.assert_close(one["mean"], network[1].running_mean)
        torch.testing.assert_close(one["var"], network[1].running_var)


def test_in_evaluation_it_is_the_usual_one():
    photos, network = _case()
    network.eval()
    expected = network(photos)
    share_batch_norms(network, torch.device("cpu"))
    assert isinstance(network[1], SharedBatchNorm2d)
    assert torch.equal(network(photos), expected)
