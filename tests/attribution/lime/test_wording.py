"""Rules in words."""

import numpy as np

from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.partition import partition
from explainer.attribution.lime.wording import rules
from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Background, Subject
from explainer.records import FloatArray

NAMES = ("duration_months", "housing", "amount_dm")
LABELS = ((), ("rent", "own", "free"), ())
DATA = np.array([[6.0, 0, np.nan], [12, 1, np.nan], [18, 1, np.nan], [24, 2, np.nan], [36, 1, np.nan]])


def spoken(row: list[float], data: FloatArray = DATA, **settings: object) -> tuple[str, ...]:
    kinds = np.array([0, 3, 0])
    model = OpenedModel(lambda rows: rows[:, :1], "regression", 1, "by hand", "1")
    subject = Subject(model, "m", Background(data, np.full(5, 0.2), "b"), kinds, NAMES, LABELS)
    options = LimeOptions(**settings)  # type: ignore[arg-type]
    space = partition(data, kinds, options, np.isnan(row))
    return rules(space, subject, np.array(row))


def test_rules_name_borders_categories_and_missing_values() -> None:
    """Between two borders, a category's label, and a missing number are said in the schema's own words."""
    assert spoken([13, 1, np.nan]) == ("12 < duration_months <= 18", "housing = own", "amount_dm is missing")


def test_rules_below_and_above_all_borders() -> None:
    """The outer cells have one border; a missing category is missing; a number never seen is not missing."""
    assert spoken([3, np.nan, 5]) == ("duration_months <= 12", "housing is missing", "amount_dm is not missing")
    assert spoken([99, 0, 5])[0] == "duration_months > 24"


def test_a_feature_without_cells_is_named_alone() -> None:
    """Without discretisation a weight belongs to the number itself."""
    assert spoken([13, 1, np.nan], discretizer=None)[0] == "duration_months"


def test_borders_that_look_alike_get_more_digits() -> None:
    """Six digits do not tell 1000000.1 from 1000000.2, so more are written."""
    data = DATA.copy()
    data[:, 0] = [1000000.1, 1000000.2, 1000000.3, 1000000.4, 1000000.5]
    assert spoken([1000000.25, 1, np.nan], data)[0] == "1000000.2 < duration_months <= 1000000.3"
