import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from df2net_hub.model_card import CardPart, TrainingRecord, pipeline_card, stage_card

PARTS = [CardPart("dense", "dnet_small", 1234567), CardPart("fine", "fnet_small", 89)]
RECORD = TrainingRecord(
    origin="df2net_hub",
    data=("A morphable head (somebody, MIT)", "Skins (somebody else, CC0)"),
    recipe="Eq. 1 on depth and normals.",
    command="accelerate launch scripts/train.py --stage dense",
    code="0123abc",
    seed=0,
    hardware="two CPU cores",
    duration="2 h",
    accuracy={"scan A: mean depth error": "1.5 mm"},
    failures=("glasses become relief",),
)


def test_a_record_comes_back_from_its_folder_as_it_was(tmp_path: Path) -> None:
    RECORD.write(tmp_path)
    assert TrainingRecord.read(tmp_path) == RECORD


def test_a_folder_without_a_record_gives_the_empty_record(tmp_path: Path) -> None:
    assert TrainingRecord.read(tmp_path) == TrainingRecord()


def test_the_card_states_every_recorded_fact_and_whose_the_weights_are() -> None:
    text = pipeline_card(PARTS, RECORD).content
    for fact in ("A morphable head (somebody, MIT)", "Skins (somebody else, CC0)", "0123abc"):
        assert fact in text
    assert "| dense | `dnet_small` | 1,234,567 |" in text
    assert "| scan A: mean depth error | 1.5 mm |" in text
    assert "- Seed: 0\n" in text
    assert "accelerate launch scripts/train.py --stage dense" in text
    assert "**not** the weights that the authors of the paper released" in text
    assert "- glasses become relief" in text
    assert "not recorded" not in text


def test_a_fact_that_nobody_recorded_is_stated_as_such() -> None:
    text = pipeline_card(PARTS, TrainingRecord()).content
    assert "Where these weights come from is not recorded." in text
    for heading in ("Recipe", "Seed", "Hardware", "Time", "Code", "Command", "Accuracy"):
        assert f"{heading}: not recorded" in text
    assert text.count("- not recorded") == 2  # data, known failures


def test_the_front_matter_is_what_the_hub_reads() -> None:
    card = ModelCard(str(stage_card(PARTS[0], RECORD)))
    assert card.data.license == "apache-2.0"
    assert card.data.library_name == "df2net_hub"
    assert card.data.pipeline_tag == "image-to-3d"


def test_converted_weights_are_not_offered_under_our_license() -> None:
    card = pipeline_card(PARTS, TrainingRecord(origin="authors"))
    assert card.data.license == "other"
    assert "It has no license" in card.content


def test_an_unknown_key_in_a_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text(json.dumps({"sede": 0}))
    with pytest.raises(ValueError, match="training.json: unknown key 'sede'; known keys: origin"):
        TrainingRecord.read(tmp_path)


def test_a_record_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text('{"seed": ')
    with pytest.raises(ValueError, match="training.json is not JSON"):
        TrainingRecord.read(tmp_path)


def test_an_unknown_origin_is_an_error() -> None:
    with pytest.raises(ValueError, match="origin must be one of df2net_hub, authors, random"):
        TrainingRecord(origin="ours")


def test_lines_given_as_one_string_are_an_error() -> None:
    with pytest.raises(ValueError, match="TrainingRecord.data is a list of lines"):
        TrainingRecord(data="one source")  # type: ignore[arg-type]


def test_the_card_of_an_albedo_network_speaks_of_albedo_not_of_depth() -> None:
    card = stage_card(CardPart("albedo", "albedonet_small", 879189), TrainingRecord(seed=3))
    assert card.data.pipeline_tag == "image-to-image" and "depth-estimation" not in card.data.tags
    assert "# albedonet_small: albedo of faces" in card.text and "Seed: 3" in card.text
    assert "One of the three networks" not in card.text
