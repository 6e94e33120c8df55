"""Geometry of a case's small pictures."""

from __future__ import annotations

import pytest

from explainer.records import Explanation, MethodReport
from explainer.reviews.groups import Share
from explainer.reviews.standing import Bin, Standing
from webui.case_charts import histogram, opinions, score_picture, share_width


def told(*amounts: float, error: float | None = 0.0) -> Explanation:
    method = MethodReport("exact", 1, "small", False, 16, None, "default", 0.0)
    return Explanation(0.5, 0.5, "bad", "probability", amounts, tuple(error for _ in amounts), method)


@pytest.mark.parametrize("above", [True, False])
def test_the_adverse_side_begins_at_the_threshold(above: bool) -> None:
    """The score lies on the coloured side exactly where its outcome is the adverse one."""
    picture = score_picture(0.8, 0.4, share=True, adverse_above=above, before=0.1)
    inside = picture.adverse_left <= picture.score <= picture.adverse_left + picture.adverse_width
    assert inside is above
    assert picture.before is not None
    assert 0 < picture.before < picture.threshold < picture.score < 100


@pytest.mark.parametrize(("score", "threshold"), [(250.0, -3.0), (0.0, 0.0), (1e9, 1e9 + 1)])
def test_any_number_fits_on_the_line(score: float, threshold: float) -> None:
    """Outputs that are no probabilities are drawn as wide as what is to be seen."""
    picture = score_picture(score, threshold, share=False, adverse_above=True)
    assert 0 <= picture.score <= 100
    assert 0 < picture.threshold < 100


def test_both_opinions_are_drawn_on_one_scale() -> None:
    """Equal amounts have equal bars, whichever of the two says so; the feature that either names first comes first."""
    found = opinions(told(0.1, -0.3, 0.0), told(0.5, 0.3, 0.0, error=0.1), shown=2)
    assert [o.index for o in found.rows] == [0, 1]
    assert found.rows[1].shap.width == pytest.approx(found.rows[1].lime.width, abs=0.01)
    assert [o.same for o in found.rows] == [True, False]
    assert found.rows[0].lime.whisker_left < found.rows[0].lime.end < found.rows[0].lime.whisker_right <= 100
    assert found.rows[0].shap.start == found.rows[0].lime.start == found.zero


def test_columns_have_the_areas_of_their_bins() -> None:
    """A bin that is twice as wide with the same count is half as high; the columns fill the width."""
    none = Share(0, 40, "0 of 40")
    bins = (Bin(None, 0.0, 10), Bin(0.0, 1.0, 20), Bin(1.0, 3.0, 20), Bin(3.0, None, 10))
    found = histogram(Standing("x", 2.0, 60, none, 0.7, bins, 2))
    assert [c.here for c in found] == [False, False, True, False]
    assert sum(c.width for c in found) == pytest.approx(100, abs=0.1)
    areas = [c.width * c.height for c in found]
    assert areas[1] == pytest.approx(areas[2], rel=0.01)
    assert areas[0] == pytest.approx(areas[1] / 2, rel=0.01)
    assert histogram(Standing("x", "car", 60, none)) == ()


def test_a_group_too_small_to_count_is_drawn_as_about_so() -> None:
    """Neither an exact width for what may not be told, nor none at all."""
    assert share_width(Share(25, 100, "25 of 100")) == 25.0
    assert share_width(Share(0, 100, "0 of 100")) == 0.8
    assert share_width(Share(None, 100, "fewer than 5 of 100")) == 3.0
    assert share_width(Share(None, 100, "more than 95 of 100")) == 97.0
