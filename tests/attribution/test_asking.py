"""What `asking` promises: defaults from the manifest, and a refusal that names the setting."""

from dataclasses import replace

import pytest

from explainer.attribution.asking import ask_of, class_name, outputs_of
from explainer.errors import InvalidOption
from explainer.records import ExplainOptions
from tests.attribution.fakes import bent, classifier, manifest, mixed_rows, regression, subject

BINARY = subject(classifier(bent), mixed_rows(3, 0))
NUMBER = subject(regression(bent), mixed_rows(3, 0))


def test_what_is_not_set_comes_from_the_manifest():
    """Output and class default to the manifest's; the deadline counts from the start of the call, in seconds."""
    ask = ask_of(ExplainOptions(deadline_ms=250), manifest(BINARY), "default", 100.0)
    assert (ask.space, ask.deadline, ask.tolerance, ask.confidence) == ("probability", 100.25, None, 0.95)
    assert ask_of(ExplainOptions(output="raw"), manifest(BINARY), "default", 0.0).space == "raw"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (ExplainOptions(background="other"), "background: 'other'"),
        (ExplainOptions(tolerance=0.0), "tolerance"),
        (ExplainOptions(tolerance=float("nan")), "tolerance"),
        (ExplainOptions(max_evaluations=0), "max_evaluations"),
        (ExplainOptions(deadline_ms=0), "deadline_ms"),
        (ExplainOptions(separate=0), "separate"),
        (ExplainOptions(seed=-1), "seed"),
        (ExplainOptions(seed=2**63), "seed"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(options, says):
    """Every number that cannot be honoured is an InvalidOption that names its setting."""
    with pytest.raises(InvalidOption, match=says):
        ask_of(options, manifest(BINARY), "default", 0.0)


def test_classes_are_found_by_name():
    """A class given, the positive one by default, all of them, or None for the predicted one."""
    of = manifest(BINARY)
    assert outputs_of(ExplainOptions(class_name="no"), of, BINARY.model) == (0,)
    assert outputs_of(ExplainOptions(), of, BINARY.model) == (1,)
    assert outputs_of(ExplainOptions(class_name="all"), of, BINARY.model) == (0, 1)
    assert outputs_of(ExplainOptions(), replace(of, positive_class=None), BINARY.model) is None
    named = replace(of, classes=("none", "all"))
    assert outputs_of(ExplainOptions(class_name="all"), named, BINARY.model) == (1,)


def test_a_class_that_is_not_there_is_refused():
    """The message lists the classes; a regression has none to ask for."""
    with pytest.raises(InvalidOption, match=r"'maybe'.*no, yes"):
        outputs_of(ExplainOptions(class_name="maybe"), manifest(BINARY), BINARY.model)
    with pytest.raises(InvalidOption, match="regression"):
        outputs_of(ExplainOptions(class_name="yes"), manifest(NUMBER), NUMBER.model)


def test_outputs_are_named_after_classes():
    """A regression's only output has no name, those of several are numbered."""
    assert class_name(manifest(BINARY), BINARY.model, 0) == "no"
    assert class_name(manifest(NUMBER), NUMBER.model, 0) is None
    assert class_name(manifest(NUMBER), replace(NUMBER.model, outputs=2), 1) == "1"
    assert outputs_of(ExplainOptions(), manifest(NUMBER), replace(NUMBER.model, outputs=2)) == (0, 1)
