"""A finished folder explains itself, loads as it is, and is published whole or not at all."""

import json
import re
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import datasets
import numpy as np
import pytest
from huggingface_hub import DatasetCard
from PIL import Image

from df2net_hub.contact_sheet import TILE, contact_sheet, pick_rows, relief
from df2net_hub.pair_card import check_push, finish_set, push_set
from df2net_hub.shards import write_set

sys.path.insert(0, str(Path(__file__).resolve().parent))
from set_makers import Rows, row  # noqa: E402

sys.path.pop(0)

RENDERED = {
    "kind": "rendered",
    "command": "df2net synthesize FOLDER --count 10",
    "license": "cc0-1.0",
    "licenses": ["head: MIT", "light: CC0"],
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven rendered pairs, five photos without depth, and a set in which nothing was kept."""
    folder = tmp_path_factory.mktemp("mixed")
    write_set(folder, "seed0", Rows(reject_every=4), 10, RENDERED, rows_per_shard=4)
    photos = Rows(source="fine")
    write_set(folder, "photos", photos, 5, {"license": "mit"}, rows_per_shard=2)
    write_set(folder, "none", Rows(reject_every=1), 3, {"seed": 9}, rows_per_shard=2)
    finish_set(folder)
    return folder


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


def test_the_folder_streams_and_loads_as_it_is_with_mixed_kinds(mixed):
    stream = datasets.load_dataset(str(mixed), streaming=True)["train"]
    loaded = datasets.load_dataset(str(mixed))["train"]
    assert [pair["id"] for pair in stream] == loaded["id"] and len(loaded) == 12
    with_depth = [pair["depth"] is not None for pair in stream]
    assert with_depth == [source == "morphable" for source in loaded["source"]]
    depth = np.asarray(next(pair for pair in stream if pair["depth"])["depth"])
    assert depth.dtype == np.uint16 and depth[0, 0] == 0 and abs(int(depth[8, 8]) - 32768) < 300


def test_each_set_is_also_a_configuration(mixed):
    fine = datasets.load_dataset(str(mixed), "photos", split="train")
    assert set(fine["source"]) == {"fine"} and len(fine) == 5
    configs = datasets.get_dataset_config_names(str(mixed))
    assert sorted(configs) == ["default", "photos", "seed0"]  # `none` has nothing to load


def test_the_sample_of_the_card_runs(mixed, capsys):
    sample = re.search(r"```python\n(.*?)```", (mixed / "README.md").read_text(), re.DOTALL)[1]
    exec(sample.replace("OWNER/NAME", str(mixed)).replace("take(3)", "take(9)"), {})
    assert "row-0001 morphable (16, 16, 3) -" in capsys.readouterr().out


def test_the_card_counts_what_is_there_and_says_where_it_is_from(mixed):
    card = DatasetCard.load(mixed / "README.md")
    assert card.data.license == ["cc0-1.0", "mit"]
    assert card.data.size_categories == ["n<1K"]
    for line in (
        "| `seed0` | morphable | 7 | 7 | 0 | 7 | 16 |",
        "| `photos` | fine | 5 | 0 | 0 | 0 | 16 |",
        "| `none` | - | 0 | 0 | 0 | 0 | - |",
        "12 pairs in 8 shards.",
        "Inputs that gave no pair: 6.",
        "| `seed0` | too blurred | 3 |",
        "df2net synthesize FOLDER --count 10",
        '"kind": "rendered"',
        "- head: MIT",
        "- `none`: not stated",
        "- `photos`: mit",
        "photos of people",
    ):
        assert line in card.text
    assert "reconstructed`:" not in card.text and "Not complete" not in card.text


def test_the_card_of_one_license_names_it_and_one_of_none_names_none(tmp_path):
    write_set(tmp_path, "a", Rows(), 2, {"license": "cc-by-4.0"}, rows_per_shard=2)
    finish_set(tmp_path)
    assert DatasetCard.load(tmp_path / "README.md").data.license == "cc-by-4.0"
    write_set(tmp_path / "b", "b", Rows(), 2, {}, rows_per_shard=2)
    finish_set(tmp_path / "b")
    assert DatasetCard.load(tmp_path / "b" / "README.md").data.license is None
    assert "License: not stated." in (tmp_path / "b" / "README.md").read_text()


@pytest.mark.parametrize(
    ("model", "words"),
    [("bundled", "by its bundled weights"), ("owner/name", "by the weights `owner/name`")],
)
def test_pairs_of_our_own_teacher_are_not_those_of_another_method(tmp_path, model, words):
    taught = {"made_by": "teacher", "model": model}
    write_set(tmp_path, "taught", Rows(source="reconstructed"), 2, taught, rows_per_shard=2)
    finish_set(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "- `reconstructed`: photos with a depth that the pipeline of df2net_hub itself " in text
    assert words in text and "another method" not in text
    prnet = {"made_by": "prnet"}
    write_set(tmp_path, "prnet", Rows(source="reconstructed"), 2, prnet, rows_per_shard=2)
    finish_set(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert words in text and "another method" in text  # both are in the folder


def test_a_folder_of_ingredients_that_states_no_licenses_is_told(tmp_path):
    write_set(tmp_path, "a", Rows(), 2, {"licenses": []}, rows_per_shard=2)
    finish_set(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "The folder that `a` was made from states no licenses." in text
    write_set(tmp_path, "a", Rows(), 2, {"licenses": ["head: H; MIT"]}, rows_per_shard=2)
    finish_set(tmp_path)  # the licenses of a set may be stated later
    text = (tmp_path / "README.md").read_text()
    assert "Made from:\n\n- head: H; MIT" in text and "states no licenses" not in text


def test_a_set_that_misses_shards_says_so_and_is_not_published(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    write_set(tmp_path, "a", Rows(), 9, {}, rows_per_shard=2, part=(0, 2))
    finish_set(tmp_path)
    assert "**Not complete:** 2 of 5 shards miss" in (tmp_path / "README.md").read_text()
    with pytest.raises(ValueError, match="'a'.*lacks 2 of 5 shards"):
        push_set(tmp_path, "owner/name", endpoint="http://127.0.0.1:1")


def test_a_card_without_space_is_named_and_the_old_one_stays(tmp_path):
    resource = pytest.importorskip("resource", reason="POSIX only")
    write_set(tmp_path, "a", Rows(), 2, {}, rows_per_shard=2)
    finish_set(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(OSError, match=r"contact_sheet.jpg cannot be written: File too large"):
            finish_set(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_foreign_and_damaged_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no .parquet shards"):
        finish_set(tmp_path)
    (tmp_path / "a-00000.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match="a-00000.parquet is damaged"):
        finish_set(tmp_path)


def test_samples_are_drawn_evenly_from_all_shards(tmp_path):
    write_set(tmp_path, "a", Rows(reject_every=2), 120, {}, rows_per_shard=25)
    rows = pick_rows(sorted(tmp_path.glob("*.parquet")), 7)
    numbers = [int(picked["id"][-4:]) for picked in rows]
    assert numbers == [1, 19, 39, 59, 79, 99, 119]
    assert len(pick_rows(sorted(tmp_path.glob("*.parquet")), 100)) == 60


def test_the_sheet_shows_what_is_known_and_leaves_out_what_nobody_knows(mixed):
    with Image.open(mixed / "contact_sheet.jpg") as sheet:
        assert sheet.width > 3 * TILE
    stored = [
        {**one, **{name: one[name] and {"bytes": one[name]} for name in ("image", "depth", "mask")}}
        for one in (row(1), row(2, source="fine"))
    ]
    for one in stored:
        one["normals"] = one["albedo"] = None
    sheet = contact_sheet(stored)
    assert sheet.shape[1] == 2 * 2 * TILE + 10  # photo and depth of two samples
    assert (sheet[40:100, 3 * TILE + 20 : 4 * TILE] == 232).all()  # no depth, the tile is empty


def test_relief_is_lit_from_the_upper_left_and_warm_where_near():
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    inside = x**2 + y**2 < 0.8
    dome = np.where(inside, 4 * np.sqrt(np.clip(1 - x**2 - y**2, 0, 1)), np.nan)
    colors = relief(dome).astype(int)
    assert colors[20, 20].sum() > colors[44, 44].sum() + 60
    top, rim = colors[32, 32], colors[32, 6]
    assert top[0] / top[2] > rim[0] / rim[2]
    assert (colors[~inside] == 232).all()


@pytest.mark.parametrize("repo_id", ["name", "a/b/c", "owner/na me", "owner/"])
def test_a_bad_name_of_a_dataset_is_refused_before_any_work(repo_id, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    with pytest.raises(ValueError, match=r"OWNER/NAME|Repo id"):
        check_push(repo_id)


def test_who_is_not_logged_in_is_told_how(monkeypatch):
    monkeypatch.setattr("df2net_hub.pair_card.get_token", lambda: None)
    with pytest.raises(LookupError, match="hf auth login"):
        check_push("owner/name")


def test_a_hub_that_cannot_be_reached_leaves_the_set_and_says_what_to_do(mixed, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    with pytest.raises(ConnectionError, match="owner/name was not uploaded.*tries the upload"):
        push_set(mixed, "owner/name", endpoint="http://127.0.0.1:1")


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as an upload of small files asks for; keeps what it was sent."""

    received: dict[str, bytes] = {}
    created: list[dict] = []

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/repos/create":
            self.created.append(json.loads(body))
            self._answer({"url": f"http://{self.headers['Host']}/datasets/owner/name"})
        elif self.path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            kept = {"uploadMode": "regular", "shouldIgnore": False}
            self._answer({"files": [{"path": file["path"], **kept} for file in files]})
        elif "/commit/" not in self.path:
            self._answer({})  # such as the check of the card
        else:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.received[line["value"]["path"]] = b64decode(line["value"]["content"])
            url = f"http://{self.headers['Host']}/datasets/owner/name/commit/{'1' * 40}"
            self._answer({"commitUrl": url, "commitOid": "1" * 40})

    def do_GET(self) -> None:  # noqa: N802
        self._answer({"id": "owner/name", "sha": "0", "siblings": []})

    def _answer(self, answer: dict) -> None:
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_upload_holds_the_set_and_nothing_else(mixed, hub, monkeypatch):
    """Against a stand-in on this machine; the real Hub was not asked."""
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    (mixed / "notes.txt").write_text("not of the set")
    url = push_set(mixed, "owner/name", endpoint=hub)
    assert url.startswith(f"{hub}/datasets/owner/name/commit/")
    assert Hub.created[0]["type"] == "dataset" and Hub.created[0]["name"] == "name"
    expected = {path.name for path in mixed.iterdir() if path.name[0] != "."} - {"notes.txt"}
    assert set(Hub.received) == expected
    for name, content in Hub.received.items():
        assert content == (mixed / name).read_bytes()
