"""What `seeds` promises: one seed for one question, another for any other."""

from dataclasses import replace

import numpy as np

from explainer.attribution.methods.kernel import METHOD as KERNEL
from explainer.attribution.methods.permutation import METHOD as PERMUTATION
from explainer.attribution.ports import Ask
from explainer.attribution.seeds import LIMIT, derived
from tests.attribution.fakes import bent, classifier, mixed_rows, subject

SUBJECT = subject(classifier(bent), mixed_rows(3, 0))
ASK = Ask("probability", (1,))
ROW = mixed_rows(1, 5)[0]


def test_the_seed_is_known_in_advance():
    """The same question has this very seed on every machine and in every version, or receipts cannot be replayed."""
    assert derived(SUBJECT, np.arange(6.0), PERMUTATION, ASK) == 1008700415008998768


def test_everything_that_the_answer_depends_on_changes_the_seed():
    """Model, background, row, method and settings each give another seed, all below 2**63."""
    other = replace(SUBJECT.background, digest="x")
    seeds = [
        derived(SUBJECT, ROW, PERMUTATION, ASK),
        derived(replace(SUBJECT, model_digest="x"), ROW, PERMUTATION, ASK),
        derived(replace(SUBJECT, background=other), ROW, PERMUTATION, ASK),
        derived(SUBJECT, ROW + 1e-9, PERMUTATION, ASK),
        derived(SUBJECT, ROW, KERNEL, ASK),
        derived(SUBJECT, ROW, PERMUTATION, replace(ASK, space="raw")),
        derived(SUBJECT, ROW, PERMUTATION, replace(ASK, tolerance=0.1)),
        derived(SUBJECT, ROW, PERMUTATION, replace(ASK, max_evaluations=1000)),
        derived(SUBJECT, ROW, PERMUTATION, replace(ASK, separate=3)),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < LIMIT for seed in seeds)


def test_classes_and_deadline_share_their_samples():
    """What is left out on purpose: the outputs asked for, the deadline, and how a missing value or zero is written."""
    seed = derived(SUBJECT, ROW, PERMUTATION, ASK)
    assert derived(SUBJECT, ROW, PERMUTATION, replace(ASK, outputs=(0, 1), deadline=1.0)) == seed
    assert derived(SUBJECT, np.zeros(6), PERMUTATION, ASK) == derived(SUBJECT, -np.zeros(6), PERMUTATION, ASK)
