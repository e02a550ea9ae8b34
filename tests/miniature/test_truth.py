"""What is true of a scene, and how relevant it is to a query: by hand."""

import pytest

from retrievals_pipeline.miniature.scenes import Scene, Subject
from retrievals_pipeline.miniature.truth.facts import Fact, facts
from retrievals_pipeline.miniature.truth.relevance import Query, grades, relevance, satisfaction
from tests.miniature.scenes_by_hand import GREY, boats, made

BOAT, SHIP = Fact("thing", "boat"), Fact("thing", "ship")
THREE = Fact("count", "3", "sailing boat")
SEA, STORM, LONELY = Fact("place", "sea"), Fact("weather", "stormy"), Fact("mood", "lonely")
BLUE, RED = Fact("color", "blue"), Fact("color", "red")


def grade(query: Query, shown: Scene, shares: dict[str, float] | None = None) -> int:
    return relevance(query, facts(shown, GREY if shares is None else shares))


def test_all_that_was_asked_is_grade_3_and_half_of_it_grade_1() -> None:
    assert grade(Query((BOAT,)), boats(1)) == 3
    assert grade(Query((BOAT, SEA)), boats(1)) == 3
    assert grade(Query((BOAT, STORM)), boats(1)) == 1
    assert grade(Query((SHIP, STORM)), made(Subject("sheep", 3), setting="meadow")) == 0


def test_nearly_all_is_grade_2_if_what_was_named_first_is_there() -> None:
    wanted = (BOAT, SEA, Fact("time", "noon"), STORM)
    assert grade(Query(wanted), boats(1)) == 2
    assert grade(Query((STORM, BOAT, SEA, Fact("time", "noon"))), boats(1)) == 1


@pytest.mark.parametrize(("count", "expected"), [(3, 3), (2, 1), (4, 1), (1, 0), (5, 0)])
def test_a_count_off_by_one_is_half_right(count: int, expected: int) -> None:
    assert grade(Query((THREE,)), boats(count)) == expected


def test_a_count_off_by_one_is_never_nearly_right() -> None:
    noon = Fact("time", "noon")
    assert grade(Query((THREE, SEA, noon)), boats(3)) == 3
    assert grade(Query((THREE, SEA, noon)), boats(4)) == 1
    assert grade(Query((THREE, SEA)), boats(5)) == 1


def test_several_are_two_or_more() -> None:
    several = Query((Fact("count", "several", "boat"),))
    assert grade(several, boats(2)) == grade(several, boats(5)) == 3
    assert grade(several, boats(1)) == 1
    vase = made(Subject("vase", 1, "red"), setting="table", weather="", time_of_day="")
    assert grade(Query((Fact("count", "several", "flowers"),)), vase) == 3


@pytest.mark.parametrize(
    "other",
    [{"time_of_day": "night"}, {"palette": "azure"}, {"palette": "crimson"}],
    ids=lambda other: next(iter(other.values())),
)
def test_no_colour_of_a_thing_is_sure_in_light_that_changes_it(other: dict[str, str]) -> None:
    white = Fact("color", "white", "sailing boat")
    assert facts(boats(1), GREY)[white] == 1
    assert facts(boats(1, **other), GREY)[white] == 0.6


def test_candlelight_changes_colours_and_is_nearly_night() -> None:
    shown = made(Subject("apple", 2, "red"), Subject("candle"), setting="table", weather="",
                 time_of_day="")  # fmt: skip
    assert facts(shown, GREY)[Fact("color", "red", "apple")] == 0.6
    assert facts(shown, GREY)[Fact("time", "night")] == 0.7


def test_the_colour_of_the_light_is_surely_seen_in_it() -> None:
    blue = facts(boats(1, "blue", palette="azure"), GREY)
    assert blue[Fact("color", "blue", "sailing boat")] == 1


def test_morning_and_noon_look_nearly_alike() -> None:
    assert facts(boats(1), GREY)[Fact("time", "morning")] == 0.7
    assert facts(boats(1, time_of_day="morning"), GREY)[Fact("time", "noon")] == 0.7
    assert Fact("time", "noon") not in facts(boats(1, time_of_day="dusk"), GREY)


def test_narrow_words_are_of_narrow_things() -> None:
    for name, setting, narrow in (("steamship", "open sea", "tall ship"),
                                  ("cottage", "hills", "town house"),
                                  ("flock of birds", "hills", "songbird")):  # fmt: skip
        assert Fact("thing", narrow) not in facts(made(Subject(name), setting=setting), GREY)
    for name, setting, narrow in (("ship", "open sea", "tall ship"),
                                  ("house", "village", "town house"),
                                  ("bird", "branch", "songbird")):  # fmt: skip
        assert facts(made(Subject(name), setting=setting), GREY)[Fact("thing", narrow)] == 1


@pytest.mark.parametrize(
    ("name", "setting", "season", "flowers"),
    [
        ("sheep", "meadow", "spring", True),
        ("mountain", "mountains", "summer", True),
        ("sheep", "meadow", "autumn", False),
        ("church", "hills", "summer", False),
        ("tree", "hills", "spring", True),
        ("bird", "branch", "spring", True),
        ("bird", "branch", "winter", False),
    ],
)
def test_who_wants_no_flowers_wants_none_in_the_grass_or_on_the_boughs(
    name: str, setting: str, season: str, *, flowers: bool
) -> None:
    shown = made(Subject(name), setting=setting, season=season)
    query = Query((Fact("manner", "oil"),), (Fact("thing", "flowers"),))
    assert grade(query, shown) == (0 if flowers else 3)
    assert grade(Query((Fact("thing", "flowers"),)), shown) == (1 if flowers else 0)


def test_things_of_several_kinds_are_counted_together() -> None:
    shown = made(Subject("apple", 2, "red"), Subject("pear", 3), setting="table", weather="")
    assert grade(Query((Fact("count", "5", "fruit"),)), shown) == 3
    assert grade(Query((Fact("count", "2", "apple"),)), shown) == 3
    assert grade(Query((Fact("count", "5", "apple"),)), shown) == 0


def test_nobody_counts_the_birds_of_a_flock() -> None:
    shown = made(Subject("ship"), Subject("flock of birds"))
    assert not [fact for fact in facts(shown, GREY) if fact[::2] == ("count", "bird")
                and fact.value.isdigit()]  # fmt: skip


def test_what_was_ruled_out_is_grade_0_however_much_else_fits() -> None:
    query = Query((BOAT,), (Fact("thing", "lighthouse"),))
    assert grade(query, boats(1)) == 3
    assert grade(query, made(Subject("sailing boat", 1, "red"), Subject("lighthouse"))) == 0


def test_only_ruling_out_leaves_all_the_others() -> None:
    assert grade(Query((), (STORM,)), boats(1)) == 3
    assert grade(Query((), (STORM,)), boats(1, weather="stormy")) == 0


def test_a_kind_of_what_was_ruled_out_is_ruled_out() -> None:
    query = Query((SEA,), (BOAT,))
    assert grade(query, made(Subject("lighthouse"))) == 3
    for name in ("rowing boat", "sailing boat", "ship", "steamship"):
        assert grade(query, made(Subject(name))) == 0


@pytest.mark.parametrize(("share", "degree"), [(0.04, 0), (0.15, 0.5), (0.25, 1), (0.8, 1)])
def test_a_picture_is_of_a_colour_by_its_share_of_the_pixels(share: float, degree: float) -> None:
    shown = made(Subject("mountain"), setting="mountains")
    assert satisfaction(Query((BLUE,)), facts(shown, {"blue": share})) == pytest.approx(degree)


def test_red_but_no_blue() -> None:
    query = Query((RED,), (BLUE,))
    shown = boats(1)
    assert grade(query, shown, {"red": 0.4, "blue": 0.04}) == 3
    assert grade(query, shown, {"red": 0.4, "blue": 0.2}) == 0
    assert grade(query, shown, {"grey": 1.0}) == 0


def test_a_blue_thing_is_blue_enough_to_be_ruled_out_where_there_are_colours() -> None:
    query = Query((SEA,), (BLUE,))
    assert grade(query, boats(1, "blue"), {"grey": 1.0}) == 0
    assert grade(query, boats(1, "blue", manner="ink"), {"grey": 1.0}) == 3


def test_the_colour_of_one_thing_is_not_that_of_another() -> None:
    shown = made(Subject("old man"), Subject("coat", 1, "red"), Subject("hat", 1, "blue"),
                 setting="portrait", weather="", time_of_day="")  # fmt: skip
    assert grade(Query((Fact("color", "red", "coat"),)), shown) == 3
    assert grade(Query((Fact("color", "red", "hat"),)), shown) == 0


def test_a_broader_word_fits_and_a_neighbouring_one_nearly() -> None:
    old = made(Subject("old man"), setting="portrait", weather="", time_of_day="", mood="calm")
    for name in ("old man", "man", "old person", "person"):
        assert grade(Query((Fact("thing", name),)), old) == 3
    for name in ("woman", "child", "young person"):
        assert grade(Query((Fact("thing", name),)), old) == 0
    cap = made(Subject("boy"), Subject("cap", 1, "red"), setting="portrait", weather="")
    assert grade(Query((Fact("thing", "hat"),)), cap) == 1


def test_storms_are_snow_in_winter_waves_at_sea_and_rain_on_land() -> None:
    said = {"snowfall", "rough sea", "rain"}

    def weather(shown: Scene) -> set[str]:
        return said & {fact.value for fact in facts(shown, GREY) if fact.facet == "weather"}

    land = made(Subject("tree"), setting="hills", season="summer", weather="stormy")
    snow = made(Subject("tree"), setting="hills", season="winter", weather="stormy")
    assert weather(boats(1, weather="stormy")) == {"rough sea"}
    assert weather(land) == {"rain"}
    assert weather(snow) == {"snowfall"}


def test_the_sun_shines_on_clear_days_only() -> None:
    sunshine = Query((Fact("weather", "sunshine"),))
    assert grade(sunshine, boats(1)) == 3
    assert grade(sunshine, boats(1, time_of_day="night")) == 0
    assert grade(sunshine, boats(1, weather="cloudy")) == 0


def test_grades_are_those_of_each_work() -> None:
    works = [facts(boats(count), GREY) for count in (3, 4, 1)]
    assert grades(Query((THREE,)), works) == [3, 1, 0]


def test_degrees_are_fractions_and_only_of_what_is_there() -> None:
    for degree in facts(boats(2, mood="lonely"), GREY).values():
        assert 0 < degree <= 1
    assert LONELY in facts(boats(2, mood="lonely"), GREY)
