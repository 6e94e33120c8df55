"""What the three credit models have in common: classes, decision, and what they are not for."""

from __future__ import annotations

from explainer.records import DecisionSpec

CLASSES = ("good", "bad")
BAD = "bad"
COST_OF_BAD_LOAN = 5.0  # the cost matrix that comes with the data
COST_OF_LOST_LOAN = 1.0
COST_THRESHOLD = COST_OF_LOST_LOAN / (COST_OF_LOST_LOAN + COST_OF_BAD_LOAN)
# Three in ten applications are declined, as many as loans turn bad: 0.40 to 0.42 is the 70 % quantile of P(bad) in
# five-fold cross-validation on the training rows, for each of the three models. Going by the data set's own costs
# (granting a bad loan 5, declining a good one 1) would decline two in three.
DECISION = DecisionSpec(threshold=0.4, favourable="granted", adverse="declined")

PURPOSE = (
    "Demonstrates explanations: estimates the probability that a loan of the German credit data turns out bad, "
    "on which a made-up lender decides."
)
MISUSE = (
    "Decisions about real people: the data are 1,000 loans of one bank in southern Germany in the 1970s.",
    "Default rates: 30 % bad loans is the share in this sample, far more than a bank sees in its books.",
    "Showing that a model is fair: age and being a foreign worker are inputs here on purpose, and the groups differ.",
    "Claims about causes: an attribution says what the model used, not what would happen if a person changed it.",
)
FLAWS = (
    "The labels of the classic data are wrong in several columns; the corrected meanings are used here ('no checking "
    "account' of the classic labels means '200 DM or more, or salary account', and 'foreign worker' was inverted).",
    "The column 'personal status and sex' cannot tell sex and is shuffled in some copies, so it was dropped.",
    "The data are small: every interval below is wide, and only 37 of 1,000 applicants are foreign workers.",
    "Only loans that were granted can turn out good or bad: nothing is known of applicants who were declined.",
)
