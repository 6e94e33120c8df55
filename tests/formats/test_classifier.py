"""Classes end up in the manifest's order, with margins, trees and weights to match."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explainer.attribution.model import LinearTerms, OpenedModel
from explainer.errors import ModelRefused
from explainer.formats.classifier import class_name, class_order, probabilities, reordered, with_first_class
from tests.formats import orders

MANIFEST = orders.manifest("fake", classes=("good", "bad"))


@pytest.mark.parametrize(
    ("label", "name"), [(1, "1"), (1.0, "1"), (np.int64(3), "3"), (0.5, "0.5"), (b"x", "x"), (True, "True")]
)
def test_labels_are_compared_as_text(label: object, name: str) -> None:
    """Integers, floats without a fraction, bytes and booleans have one spelling each."""
    assert class_name(label) == name


def test_order_maps_the_manifest_onto_the_library() -> None:
    """Column order[i] of the library's answer belongs to class i of the manifest."""
    assert class_order(["bad", "good"], MANIFEST).tolist() == [1, 0]


def test_other_classes_are_refused() -> None:
    """A class that the manifest does not list, or one too many, is refused with both lists."""
    with pytest.raises(ModelRefused, match=r"\['0', '1'\].*\['good', 'bad'\]"):
        class_order([0, 1], MANIFEST)


def test_logistic_probabilities_are_exact_at_both_ends() -> None:
    """Neither probability loses its digits where the other is close to one."""
    found = probabilities(np.array([[40.0], [-40.0], [0.0]]), "logistic")
    tiny = math.exp(-40.0) / (1.0 + math.exp(-40.0))
    assert found[0].tolist() == [tiny, 1.0 / (1.0 + math.exp(-40.0))]
    assert found[1].tolist() == found[0][::-1].tolist()
    assert found[2].tolist() == [0.5, 0.5]


def test_softmax_does_not_overflow() -> None:
    """Margins of a thousand still give probabilities that sum to one."""
    found = probabilities(np.array([[1000.0, 1001.0, 0.0]]), "softmax")
    assert found[0, :2] == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])
    assert found.sum() == pytest.approx(1.0)


def test_the_second_class_alone_gives_both() -> None:
    """One probability a row becomes two."""
    assert with_first_class(np.array([[0.25]])).tolist() == [[0.75, 0.25]]


def test_swapping_two_classes_turns_the_margin_round() -> None:
    """A binary model in the other order still has probabilities that are the link of its margin."""
    margin = np.array([[0.3], [-2.0]])
    linear = LinearTerms(np.array([[2.0]]), np.array([0.5]))
    model = OpenedModel(
        lambda rows: probabilities(margin, "logistic"), "classification", 2, "fake", "1", "logistic",
        lambda rows: margin, linear=linear,
    )  # fmt: skip
    turned = reordered(model, np.array([1, 0]))
    assert turned.margin is not None
    assert turned.linear is not None
    assert turned.predict(margin) == pytest.approx(probabilities(turned.margin(margin), "logistic"))
    assert turned.predict(margin).tolist() == model.predict(margin)[:, ::-1].tolist()
    assert (turned.linear.coefficients[0, 0], turned.linear.intercept[0]) == (-2.0, -0.5)


def test_several_classes_take_their_margins_along() -> None:
    """Columns of margins and weights follow the classes."""
    margins = np.array([[1.0, 2.0, 3.0]])
    linear = LinearTerms(np.array([[10.0, 20.0, 30.0]]), np.array([1.0, 2.0, 3.0]))
    model = OpenedModel(
        lambda rows: margins, "classification", 3, "fake", "1", "softmax", lambda rows: margins, linear=linear
    )
    turned = reordered(model, np.array([2, 0, 1]))
    assert turned.margin is not None
    assert turned.linear is not None
    assert turned.margin(margins).tolist() == [[3.0, 1.0, 2.0]]
    assert turned.linear.coefficients.tolist() == [[30.0, 10.0, 20.0]]
    assert turned.linear.intercept.tolist() == [3.0, 1.0, 2.0]
