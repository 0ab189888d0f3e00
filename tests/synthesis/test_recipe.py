"""The recipe: names are checked, and a switch drops one thing and leaves all others as drawn."""

import pytest

from df2net_hub.synthesis.recipe import INGREDIENTS, SynthesisRecipe


def test_unknown_names_are_refused_with_the_known_ones_listed() -> None:
    with pytest.raises(ValueError, match="'wigs'.*skins, tones.*stretch"):
        SynthesisRecipe(without=("hair", "wigs"))
    with pytest.raises(ValueError, match="'theirs'; known: ours, paper"):
        SynthesisRecipe(preset="theirs")


def test_a_recipe_read_from_json_equals_the_one_written() -> None:
    assert SynthesisRecipe(without=["hair"]) == SynthesisRecipe(without=("hair",))  # type: ignore


def test_the_paper_shows_each_shape_three_times_and_we_show_it_once() -> None:
    assert [SynthesisRecipe("paper").shape_of(i) for i in range(7)] == [0, 0, 0, 1, 1, 1, 2]
    assert [SynthesisRecipe("ours").shape_of(i) for i in range(3)] == [0, 1, 2]


def test_all_ingredients_are_there_unless_left_out() -> None:
    recipe = SynthesisRecipe(without=("hair",))
    assert [name for name in INGREDIENTS if not recipe.has(name)] == ["hair"]
