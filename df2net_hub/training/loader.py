"""Batches of augmented pairs, from step `first` on, this process's part of each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from df2net_hub.augment import augment_pair, warp_pair
from df2net_hub.training.config import StageConfig
from df2net_hub.training.order import Key, Order, StepBatches, draws
from df2net_hub.training.rows import RENDER, Rows, open_rows
from df2net_hub.training.stream import StreamedRows

Sample = dict[str, Any]  # "id": str, the rest tensors


def to_tensors(name: str, pair: dict[str, np.ndarray]) -> Sample:
    """Image (3,S,S) in [-1,1], depth, 0 off the face, and mask (1,S,S), albedo (3,S,S) in [0,1]."""
    tensors: Sample = {
        "id": name,
        "image": torch.from_numpy(pair["image"]).permute(2, 0, 1).float() / 127.5 - 1,
        "mask": torch.from_numpy(pair["mask"])[None],
    }
    if "depth" in pair:
        tensors["depth"] = torch.from_numpy(np.nan_to_num(pair["depth"]))[None]
    if "albedo" in pair:
        tensors["albedo"] = torch.from_numpy(pair["albedo"]).permute(2, 0, 1).float() / 255
    return tensors


def plain_sample(rows: Rows, row: int, size: int) -> Sample:
    """A row at `size`, not augmented, as validation measures it."""
    name, pair = rows.pair(0, row)
    return to_tensors(name, warp_pair(pair, size))


class _Augmenting:
    """What both kinds of set share: the sample of a key."""

    def __init__(self, config: StageConfig) -> None:
        self.seed, self.size, self.augment = config.seed, config.resolution, config.augment

    def sample(self, key: Key, name: str, pair: dict[str, np.ndarray]) -> Sample:
        if not self.augment:
            return to_tensors(name, warp_pair(pair, self.size))
        number, turn, row = key
        rng = np.random.default_rng([self.seed, number, turn, row])
        return to_tensors(name, augment_pair(pair, self.size, rng))


class PairDataset(_Augmenting, Dataset):
    """Augmented pairs by the keys of an `Order`; the same for a key in any process."""

    def __init__(self, config: StageConfig, sets: Sequence[Rows]) -> None:
        super().__init__(config)
        self.sets = sets

    def __getitem__(self, key: Key) -> Sample:
        number, turn, row = key
        return self.sample(key, *self.sets[number].pair(turn, row))


class PairStream(_Augmenting, IterableDataset):
    """Augmented pairs of streamed sets, endlessly: this process's and this worker's part.

    Args:
        config: gives size, seed and the shares of the sets.
        sets: the streamed sets.
        process, processes: number of this training process, and how many there are.
        batch: photos of this process's batches.
        first: batches of this process that have been seen before.
    """

    def __init__(
        self,
        config: StageConfig,
        sets: Sequence[StreamedRows],
        process: int,
        processes: int,
        batch: int,
        first: int,
    ) -> None:
        super().__init__(config)
        self.sets, self.process, self.processes = sets, process, processes
        self.batch, self.first = batch, first
        self.shares = draws([len(one) for one in sets], config.mix)

    def __iter__(self) -> Iterator[Sample]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        # The loader asks its workers in turn. One that starts at batch `first` begins with the
        # worker whose turn it would have been.
        worker = (worker + self.first) % workers
        seen = (self.first - worker + workers - 1) // workers * self.batch
        reader, readers = self.process * workers + worker, self.processes * workers
        return self._rows(reader, readers, seen)

    def _rows(self, reader: int, readers: int, seen: int) -> Iterator[Sample]:
        taken = np.zeros(len(self.sets), int)
        streams: dict[int, Iterator[Any]] = {}
        position = 0
        while True:
            # The set that is furthest behind its share comes next.
            number = int(np.argmin((taken + 1) / self.shares))
            if position >= seen:
                if number not in streams:
                    streams[number] = self.sets[number].read(reader, readers, int(taken[number]))
                turn, place, name, pair = next(streams[number])
                yield self.sample((number, turn, place), name, pair)
            taken[number] += 1
            position += 1


class Batches:
    """Endless batches of the training sets of a config.

    Attributes:
        length: rows of an epoch.
    """

    def __init__(
        self, config: StageConfig, columns: tuple[str, ...], process: int, processes: int
    ) -> None:
        whole, parts = config.batch, config.accumulate
        if whole % (processes * parts):
            raise ValueError(
                f"batch {whole} does not divide among {processes} processes in {parts} parts each; "
                f"give a multiple of {processes * parts}"
            )
        self.config, self.process, self.processes = config, process, processes
        self.sets: list[Any]
        if config.streaming:
            if any(name.startswith(RENDER) for name in config.dataset):
                raise ValueError("render: is endless by itself; leave out --streaming")
            self.sets = [
                StreamedRows(name, columns, config.kinds, config.seed) for name in config.dataset
            ]
        else:
            given = columns, config.kinds, config.rendered_pairs, config.resolution, config.seed
            self.sets = [open_rows(name, *given) for name in config.dataset]
        self.length = sum(len(one) for one in self.sets)

    def steps(self) -> int:
        """Steps of the whole run."""
        return max(round(self.config.epochs * self.length / self.config.batch), 1)

    def loader(self, step: int, *, augment: bool = True) -> DataLoader:
        """Batches from `step` on; a step has `accumulate` of them.

        With `augment` as the config says, else as they are.
        """
        from accelerate.data_loader import BatchSamplerShard

        config = replace(self.config, augment=self.config.augment and augment)
        first = step * config.accumulate
        whole = config.batch // config.accumulate
        options: dict[str, Any] = {
            "num_workers": config.workers,
            "worker_init_fn": _one_thread,
            # Its own generator: the loader must not draw from the one that dropout draws from, or
            # a resumed run would drop other channels.
            "generator": torch.Generator(),
            "pin_memory": torch.cuda.is_available(),
        }
        if config.streaming:
            part = whole // self.processes
            stream = PairStream(config, self.sets, self.process, self.processes, part, first)
            return DataLoader(stream, part, **options)
        order = Order([len(one) for one in self.sets], config.mix, config.seed)
        sampler = StepBatches(order, whole, first)
        mine = BatchSamplerShard(sampler, self.processes, self.process, split_batches=True)
        return DataLoader(PairDataset(config, self.sets), batch_sampler=mine, **options)


def _one_thread(worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def on_device(batch: Sample, device: torch.device) -> dict[str, Tensor | list[str]]:
    """The batch's tensors on `device`, photos in channels-last order."""
    moved = {
        name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for name, value in batch.items()
    }
    moved["image"] = moved["image"].contiguous(memory_format=torch.channels_last)
    return moved
