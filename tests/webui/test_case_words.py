"""Words of decision review: times, flags, places, and whether two opinions agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from explainer.reviews.decision import Flag
from explainer.reviews.groups import Share
from explainer.reviews.standing import Standing
from webui import case_words


def test_due_dates_are_told_by_days() -> None:
    """By the calendar in UTC, before and after."""
    now = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
    told = [
        case_words.due((now + timedelta(hours=h)).isoformat(), now.isoformat()) for h in (-49, -24, -1, 1, 23, 24, 72)
    ]
    assert told == [
        "overdue by 2 days",
        "overdue by 1 day",
        "overdue since today",
        "due today",
        "due tomorrow",
        "due tomorrow",
        "due in 3 days",
    ]


def test_every_flag_has_words() -> None:
    """A name and a sentence of help for each, the weightiest first."""
    assert set(case_words.FLAGS) == set(Flag)
    assert all(w.name and w.help.endswith(".") and w.word == flag.word for flag, w in case_words.FLAGS.items())


def test_a_place_is_told_for_every_kind_of_value() -> None:
    """Numbers by the share below, categories by how many have the same, missing ones by how many miss it too."""
    none = Share(0, 100, "0 of 100")

    def number(quantile: float | None) -> str:
        return case_words.place(Standing("x", 1.0, 100, none, quantile=quantile))

    assert number(0.0) == "lower than almost all"
    assert number(0.5) == "higher than about 50 % of them"
    assert number(1.0) == "higher than almost all"
    assert number(None) == "too few rows know this value to tell its place"
    same = Share(None, 100, "fewer than 5 of 100")
    assert case_words.place(Standing("x", "car", 100, none, same=same)) == "the same in fewer than 5 of 100 rows"
    assert case_words.place(Standing("x", None, 100, none)) == "missing here; also missing in 0 of 100 rows"


def test_two_opinions_agree_by_features_and_directions() -> None:
    """Half of the leading features shared and three in four in one direction; anything less is told as parting."""
    for leading, signs, expected in ((0.6, 1.0, True), (0.6, 0.5, False), (0.4, 1.0, False), (0.0, None, False)):
        agrees, sentence = case_words.agreed({"top": 5, "leading": leading, "signs": signs, "rank_correlation": None})
        assert agrees is expected
        assert sentence.startswith(f"{round(5 * leading)} of the 5 leading features are the same in both")


def test_time_on_a_case_is_told_in_its_unit() -> None:
    """Seconds, minutes, hours; nothing where it is not known."""
    told = [case_words.lasted(s) for s in (None, 0, 59, 61, 3600, 7322)]
    assert told == ["", "0 s", "59 s", "1 min 1 s", "1 h 0 min", "2 h 2 min"]
