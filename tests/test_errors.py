"""Every error raised on purpose."""

from __future__ import annotations

import re

from explainer import errors
from explainer.errors import ExplainerError, Problem, RequestRefused

KINDS = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, ExplainerError)]


def test_codes_are_stable_names_and_no_two_are_alike() -> None:
    """Callers tell errors apart by code; each has a title."""
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)
    assert all(kind.title for kind in KINDS)


def test_what_the_caller_can_mend_is_a_4xx() -> None:
    """Refusals are 4xx, failures 5xx; a model refused at registration is its owner's to mend."""
    for kind in KINDS:
        is_4xx = 400 <= kind.status < 500
        assert is_4xx == (issubclass(kind, RequestRefused) or kind is errors.ModelRefused), kind


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class is drawn at the top of the file with its own status."""
    drawn = dict(re.findall(r"── (\w+)\s+(\d{3})?", errors.__doc__ or ""))
    assert set(drawn) == {kind.__name__ for kind in KINDS} - {"ExplainerError"}
    for kind in KINDS:
        if drawn.get(kind.__name__):
            assert int(drawn[kind.__name__]) == kind.status, kind


def test_an_error_keeps_its_findings() -> None:
    """Detail and problems are there to be read, and the text is the detail."""
    problem = Problem("a", "b", "c")
    error = ExplainerError("what happened", problems=[problem])
    assert (str(error), error.detail, error.problems) == ("what happened", "what happened", (problem,))
