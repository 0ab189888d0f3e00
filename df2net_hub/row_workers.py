"""Makes rows in several processes, in order, and says plainly what went wrong in one of them.

Each worker has a pipe of its own. Whoever ends closes its end of the pipe: workers of a killed
run end by themselves, and of a killed worker it is known which input it was at. The executors of
the standard library give neither.
"""

import os
import pickle
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

import cv2

Row = dict[str, Any]  # what `pairs.encode_row` gives
Made = Row | str  # a string is the reason why an input gave no row

QUEUED = 3  # inputs that lie ready at each worker, so that none waits while a shard is written
AHEAD = 16  # rows per worker that may wait for an earlier one


class Maker(Protocol):
    """A frozen, picklable dataclass of plain values that travels to the worker processes."""

    def open(self) -> Callable[[int], Made]:
        """Load what is needed, once per process.

        Returns:
            What makes input `index`: an encoded row, or a short reason why there is none.
        """
        ...


@dataclass(frozen=True)
class _Failure:
    error: Exception
    trace: str  # where in the worker it arose


class _WorkerTrace(Exception):
    """Where in the worker an error arose; shown as the cause of that error."""


def make_rows(maker: Maker, inputs: Sequence[int], workers: int) -> Generator[Made, None, None]:
    """What `maker` makes of each of `inputs`, in their order, whatever the number of workers.

    With one worker nothing is started: rows are made in this process. Each process computes in one
    thread, so that a row does not depend on the machine's number of cores.

    Raises:
        ChildProcessError: a worker was killed.
        Exception: what the maker raised, with the input's number in front of its message.
    """
    if not inputs:
        return
    if workers == 1:
        with _one_thread():
            make = maker.open()
            for index in inputs:
                yield _make(make, index)
        return
    # Numerical libraries count their threads when they load, before a worker could say how many.
    with _deaf_to_ctrl_c(), _one_thread():
        team = [_Worker(maker) for _ in range(min(workers, len(inputs)))]
    try:
        yield from _in_order(team, inputs)
    finally:
        for worker in team:
            worker.stop()


def _in_order(team: list["_Worker"], inputs: Sequence[int]) -> Iterator[Made]:
    # Position in `inputs` -> made before its turn. A failure waits for its turn, too: what comes
    # before it is kept.
    waiting: dict[int, Made | _Failure] = {}
    given = taken = 0
    at_work = list(team)
    while taken < len(inputs):
        for depth in range(QUEUED):
            for worker in at_work:
                may_go_on = given < min(len(inputs), taken + AHEAD * len(team))
                if may_go_on and len(worker.queue) <= depth:
                    worker.give(given, inputs[given])
                    given += 1
        busy: dict[Any, _Worker] = {one.connection: one for one in at_work if one.queue}
        for connection in wait(list(busy)):
            worker = busy[connection]
            position = worker.queue[0][0]
            waiting[position] = worker.take()
            if worker.is_gone:
                at_work.remove(worker)
        while taken in waiting:
            made = waiting.pop(taken)
            if isinstance(made, _Failure):
                raise made.error from _WorkerTrace(f"in a worker:\n{made.trace}")
            yield made
            taken += 1


class _Worker:
    """A process, the pipe to it, and what it has been given to do."""

    def __init__(self, maker: Maker) -> None:
        # spawn: forked children of a process that ran numba or torch threads can hang.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.queue: deque[tuple[int, int]] = deque()  # position and input
        self.is_gone = False
        self.process: SpawnProcess = context.Process(
            target=_work, args=(maker, theirs), daemon=True
        )
        self.process.start()
        theirs.close()  # else this process would hold it open when the worker ends

    def give(self, position: int, index: int) -> None:
        self.queue.append((position, index))
        with suppress(OSError):  # that the worker is gone is noticed when its answer is awaited
            self.connection.send(index)

    def take(self) -> Made | _Failure:
        try:
            made = self.connection.recv()
        except (EOFError, OSError):
            self.is_gone = True
            return _Failure(self._death(), "")
        self.queue.popleft()
        return made

    def _death(self) -> ChildProcessError:
        self.process.join(5)
        code = self.process.exitcode
        how = f"gone (exit status {code})"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        return ChildProcessError(
            f"a worker process was {how} while it made input {self.queue[0][1]}. Finished shards "
            "are kept, the same command goes on. If memory ran out, which is the usual reason, use "
            "fewer --workers."
        )

    def stop(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _work(maker: Maker, connection: Connection) -> None:
    """What runs in a worker: answers each input it is sent until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError), _one_thread():  # of the pipe: nobody is there any more
        make = _try(maker.open)
        while True:
            index = connection.recv()
            connection.send(make if isinstance(make, _Failure) else _try(_make, make, index))


def _make(make: Callable[[int], Made], index: int) -> Made:
    try:
        return make(index)
    except Exception as error:
        named = _named(error, index)
        if named is error:
            raise
        raise named from error


def _try(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except Exception as error:
        trace = traceback.format_exc()
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # an exception class that cannot travel
            error = RuntimeError(f"{type(error).__name__}: {error}")
        return _Failure(error, trace)


def _named(error: Exception, index: int) -> Exception:
    """The same error with the input's number in its message."""
    if isinstance(error, OSError) and error.strerror:
        error.strerror = f"input {index}: {error.strerror}"
    elif len(error.args) == 1:
        error.args = (f"input {index}: {error.args[0]}",)
    else:
        return RuntimeError(f"input {index}: {type(error).__name__}: {error}")
    return error


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """What is started now ignores Ctrl-C, from its first moment on: the parent ends its workers."""
    if threading.current_thread() is not threading.main_thread():  # others may not ask for it
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Each process computes in one thread; torch too, if it is there or comes while this lasts."""
    torch = sys.modules.get("torch")
    before_cv2, before_openmp = cv2.getNumThreads(), os.environ.get("OMP_NUM_THREADS")
    before_torch = torch.get_num_threads() if torch else 0
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    if torch:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before_cv2)
        if before_openmp is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before_openmp
        if torch:
            torch.set_num_threads(before_torch)
