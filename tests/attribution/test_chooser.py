"""What `chooser` promises: the lowest rung that fits, a reason, and a refusal that says what would fit."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest

from explainer.attribution.chooser import choose, rank
from explainer.attribution.ports import Ask, Prepared, Subject, Suitability
from explainer.errors import InvalidOption
from explainer.records import FloatArray
from tests.attribution.fakes import bent, classifier, mixed_rows, subject

SUBJECT = subject(classifier(bent), mixed_rows(3, 0))
ASK = Ask("probability", (1,))
ROW = np.zeros(6)


@dataclass(frozen=True)
class FakeMethod:
    name: str
    rung: int
    fits: bool = True
    family: Literal["shap", "lime"] = "shap"
    version: int = 1
    summary: str = "A fake."
    only_named: bool = False

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        fits = self.fits and (ask.named or not self.only_named)
        return Suitability(fits, self.rung < 40, f"{self.name} says {'yes' if fits else 'no'}.")

    def prepare(self, subject: Subject, ask: Ask) -> Prepared:
        raise NotImplementedError


METHODS = (
    FakeMethod("sampled", 50),
    FakeMethod("costly", 30, only_named=True),
    FakeMethod("closed", 10, fits=False),
    FakeMethod("lime", 5, family="lime"),
    FakeMethod("dear", 60),
)


@pytest.mark.parametrize("wanted", ["auto", "shap"])
def test_the_lowest_fitting_rung_wins(wanted):
    """Neither list order nor LIME's rung matters: `auto` means the family shap, and its lowest rung that fits."""
    choice = choose(METHODS, SUBJECT, ASK, ROW, wanted)
    assert (choice.method.name, choice.reason, choice.exact) == ("sampled", "sampled says yes.", False)


def test_a_family_has_its_own_ladder():
    """`lime` picks among the methods of that family alone."""
    assert choose(METHODS, SUBJECT, ASK, ROW, "lime").method.name == "lime"


def test_a_method_asked_for_by_name_is_told_so():
    """A method that `auto` finds too costly may accept when named, and goes on to know that it was."""
    choice = choose(METHODS, SUBJECT, ASK, ROW, "costly")
    assert (choice.method.name, choice.ask.named, choice.exact) == ("costly", True, True)
    assert choice.reason == "Asked for by name. costly says yes."


def test_a_method_that_does_not_fit_is_refused_with_those_that_do():
    """The refusal holds the method's own reason and the names of the methods that would fit."""
    with pytest.raises(InvalidOption, match=r"'closed' does not fit: closed says no\. .*sampled, dear"):
        choose(METHODS, SUBJECT, ASK, ROW, "closed")


def test_an_unknown_method_is_refused_with_the_known_ones():
    """The refusal lists auto, the families and every name."""
    with pytest.raises(InvalidOption, match=r"'magic' is not known.*auto, shap, lime, sampled"):
        choose(METHODS, SUBJECT, ASK, ROW, "magic")


def test_a_family_without_a_fitting_method_says_why_for_each():
    """When nothing fits, every method's reason is in the message."""
    with pytest.raises(InvalidOption, match=r"No shap method fits\. closed: closed says no\."):
        choose(METHODS[2:3], SUBJECT, ASK, ROW, "auto")


def test_the_ranking_lists_all_with_their_reasons():
    """Those that fit come first, in the order of the ladder; the others follow with why they do not."""
    ranked = rank(METHODS, SUBJECT, ASK, ROW)
    assert [c.method.name for c in ranked] == ["lime", "sampled", "dear", "closed", "costly"]
    assert ranked[-1].suitability.why == "costly says no."
