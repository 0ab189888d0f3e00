"""A set's bytes depend on its maker and count alone; whatever stops a run, nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from df2net_hub.shards import SetReport, rows_per_shard, write_set

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))  # worker processes inherit it
from set_makers import Rows  # noqa: E402

sys.path.remove(str(TESTS))


@pytest.fixture(autouse=True)
def workers_find_the_makers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TESTS))


def write(folder: Path, maker: Rows, count: int = 10, rows: int = 4, **options) -> SetReport:
    recipe = options.pop("recipe", {"kind": "test", "camera": {"lens": 50}})
    return write_set(folder, "tiny", maker, count, recipe, rows_per_shard=rows, **options)


def files(folder: Path) -> dict[str, bytes]:
    """What is in the folder, lock files aside."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {name: data for name, data in found.items() if not name.endswith(".lock")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Ten inputs of which four give no row, in shards of four."""
    folder = tmp_path_factory.mktemp("undisturbed")
    report = write(folder, Rows(reject_every=3))
    assert report == SetReport(10, 6, {"too blurred": 2, "no face found": 2})
    return files(folder)


def test_a_set_is_shards_manifest_and_reasons(undisturbed):
    assert sorted(undisturbed) == [
        "tiny-00000.parquet", "tiny-00000.rejected.jsonl", "tiny-00001.parquet",
        "tiny-00001.rejected.jsonl", "tiny-00002.parquet", "tiny-00002.rejected.jsonl",
        "tiny.json",
    ]  # fmt: skip
    lines = undisturbed["tiny-00000.rejected.jsonl"].decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"index": 0, "reason": "too blurred"},
        {"index": 3, "reason": "no face found"},
    ]
    manifest = json.loads(undisturbed["tiny.json"])
    assert manifest["recipe"] == {"kind": "test", "camera": {"lens": 50}}
    assert (manifest["count"], manifest["rows_per_shard"]) == (10, 4)


def test_several_workers_write_the_same_bytes_and_report_each_input_once(tmp_path, undisturbed):
    done: list[int] = []
    report = write(tmp_path, Rows(reject_every=3), workers=2, on_done=done.append)
    assert files(tmp_path) == undisturbed
    assert report.kept == 6 and done == [0] + [1] * 10
    done.clear()
    assert write(tmp_path, Rows(reject_every=3), on_done=done.append) == report
    assert done == [10]


def test_parts_in_folders_of_their_own_are_together_one_run(tmp_path, undisturbed):
    together: dict[str, bytes] = {}
    kept = 0
    for part in range(3):
        folder = tmp_path / str(part)
        kept += write(folder, Rows(reject_every=3), part=(part, 3)).kept
        shared = set(files(folder)) & set(together)
        assert shared <= {"tiny.json"}
        together |= files(folder)
    assert together == undisturbed and kept == 6


def test_a_grown_set_is_what_one_run_would_have_made(tmp_path):
    """The last shard is made again where it was not full."""
    for count in (3, 5, 10):
        write(tmp_path / "grown", Rows(reject_every=3), count)
    write(tmp_path / "once", Rows(reject_every=3), 10)
    assert files(tmp_path / "grown") == files(tmp_path / "once")


def test_a_set_does_not_shrink(tmp_path):
    write(tmp_path, Rows(), 5)
    with pytest.raises(ValueError, match="has 5 inputs, this run asks for 4.*grow but not shrink"):
        write(tmp_path, Rows(), 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe": {"kind": "other", "camera": {"lens": 50}}}, "its kind is 'test'.*'other'"),
        ({"recipe": {"kind": "test", "camera": {"lens": 35}}}, "its camera.lens is 50.*is 35"),
        ({"recipe": {"kind": "test"}}, "its camera.lens is 50.*'not set'"),
        ({"rows": 5}, "its rows_per_shard is 4, this run's is 5"),
    ],
)
def test_another_recipe_is_refused_by_the_key_that_differs(tmp_path, change, words):
    write(tmp_path, Rows())
    before = files(tmp_path)
    with pytest.raises(ValueError, match=words):
        write(tmp_path, Rows(source="fine"), **change)
    assert files(tmp_path) == before


def test_the_command_and_licenses_may_change(tmp_path):
    for command in ("first", "second"):
        write(tmp_path, Rows(), recipe={"kind": "test", "command": command, "licenses": [command]})
    assert json.loads((tmp_path / "tiny.json").read_text())["recipe"]["command"] == "second"


@pytest.mark.parametrize("name", ["", "../out", "-x", "a/b", ".hidden", "a b"])
def test_a_name_that_cannot_name_files_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="a set's name is letters"):
        write_set(tmp_path / "new", name, Rows(), 1, {}, rows_per_shard=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_maker_comes_out_as_it_is_and_names_the_input(tmp_path, workers):
    with pytest.raises(ValueError, match="^input 2: vertex 7 is NaN$") as error:
        write(tmp_path, Rows(fail_at=2), 3, rows=1, workers=workers)
    assert sorted(files(tmp_path)) == ["tiny-00000.parquet", "tiny-00001.parquet", "tiny.json"]
    if workers > 1:
        assert "in _make" in str(error.value.__cause__)  # where in the worker


@pytest.mark.parametrize("workers", [1, 2])
def test_a_maker_that_cannot_open_is_no_fault_of_an_input(tmp_path, workers):
    with pytest.raises(FileNotFoundError, match="^no texture skin.png$"):
        write(tmp_path, Rows(missing="skin.png"), 1, workers=workers)


def test_a_killed_worker_is_named_with_its_input_and_what_to_do(tmp_path, undisturbed):
    with pytest.raises(ChildProcessError, match="killed by SIGKILL.*input 5.*fewer --workers"):
        write(tmp_path, Rows(reject_every=3, kill_at=5), workers=2)
    assert sorted(files(tmp_path)) == [
        "tiny-00000.parquet", "tiny-00000.rejected.jsonl", "tiny.json"
    ]  # fmt: skip
    write(tmp_path, Rows(reject_every=3))
    assert files(tmp_path) == undisturbed


def test_a_shard_without_rows_is_a_file_all_the_same(tmp_path):
    report = write(tmp_path, Rows(reject_every=1), 3)
    assert report == SetReport(3, 0, {"too blurred": 2, "no face found": 1})
    assert write(tmp_path, Rows(reject_every=1), 3) == report


def test_a_damaged_shard_is_named_with_what_to_do(tmp_path):
    write(tmp_path, Rows())
    path = tmp_path / "tiny-00001.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="tiny-00001.parquet is damaged.*Delete it and run"):
        write(tmp_path, Rows())


def test_a_damaged_manifest_is_named(tmp_path):
    (tmp_path / "tiny.json").write_text('{"name": "tiny"}')
    with pytest.raises(ValueError, match="tiny.json is no manifest"):
        write(tmp_path, Rows())


def test_shards_of_512_px_hold_a_few_hundred_rows_and_none_too_many():
    assert 200 < rows_per_shard(512) < 800
    assert rows_per_shard(32) == 1000 and rows_per_shard(100_000) == 1


RUN = """
import signal
import sys
from pathlib import Path
from set_makers import Rows
from df2net_hub.shards import write_set

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in the background
    maker = Rows(reject_every=3, stall_from=6, stall_s=float(sys.argv[2]))
    recipe = {"kind": "test", "camera": {"lens": 50}}
    write_set(sys.argv[1], "tiny", maker, 10, recipe, rows_per_shard=4, workers=2)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Path, float], subprocess.Popen]]:
    """Start a run of that set with two workers that stalls in the middle of the second shard."""
    begun: list[subprocess.Popen] = []
    (tmp_path / "run.py").write_text(RUN)
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])

    def run(folder: Path, stall_s: float) -> subprocess.Popen:
        begun.append(
            subprocess.Popen(
                [sys.executable, str(tmp_path / "run.py"), str(folder), str(stall_s)],
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return begun[-1]

    yield run
    for process in begun:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(path: Path, run: subprocess.Popen) -> None:
    for _ in range(4000):
        if list(path.parent.glob(path.name)):
            return
        assert run.poll() is None, run.communicate()[1]
        time.sleep(0.03)
    raise AssertionError(f"no {path}")


def test_a_set_killed_with_9_is_completed_to_the_same_bytes(tmp_path, undisturbed, start):
    """And while it runs, a second run is refused at once; after it, no worker is left behind."""
    folder = tmp_path / "set"
    run = start(folder, 2)
    wait_for(folder / ".tiny-00001.parquet*.tmp", run)
    with pytest.raises(BlockingIOError, match="another run is writing set 'tiny'"):
        write(folder, Rows(reject_every=3))
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    left = sorted(files(folder))
    assert ".tiny-00001.parquet.1of1.tmp" in left and "tiny-00001.parquet" not in left
    write(folder, Rows(reject_every=3))
    assert files(folder) == undisturbed
    wait_until_gone(run.pid)


def wait_until_gone(group: int) -> None:
    for _ in range(1000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    raise AssertionError("workers outlived the run")


def test_ctrl_c_ends_parent_and_workers_at_once_and_leaves_no_half_file(tmp_path, start):
    folder = tmp_path / "set"
    run = start(folder, 100)
    wait_for(folder / ".tiny-00001.parquet*.tmp", run)
    os.killpg(run.pid, signal.SIGINT)
    errors = run.communicate(timeout=50)[1]  # of the 100 s that each of four inputs takes
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1, errors
    assert sorted(files(folder)) == [
        "tiny-00000.parquet", "tiny-00000.rejected.jsonl", "tiny.json"
    ]  # fmt: skip
    wait_until_gone(run.pid)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(command).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_in_bytes_and_finished_shards_stay(small_disk, tmp_path):
    maker = Rows(size=256)  # about 0.2 MB a row
    with pytest.raises(OSError, match=r"no space for tiny-0000\d.parquet.*0.0 MB are free"):
        write(small_disk, maker, rows=2)
    left = files(small_disk)
    assert not [name for name in left if name.endswith(".tmp")] and "tiny-00000.parquet" in left
    write(tmp_path / "room", maker, rows=2)
    assert left.items() <= files(tmp_path / "room").items()


def test_a_file_that_the_system_lets_grow_no_further_is_the_same_error(tmp_path):
    """As by a quota; this limit can be set without rights."""
    resource = pytest.importorskip("resource", reason="POSIX only")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="tiny-00000.parquet: File too large. It needs about 0."):
            write(tmp_path, Rows(size=256))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(files(tmp_path)) == ["tiny.json"]
