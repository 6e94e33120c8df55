"""`diabetes-forest`: a random forest for a number, on the diabetes data that scikit-learn ships."""

from __future__ import annotations

from explainer.demo.datasets import Dataset, diabetes
from explainer.demo.pipelines import train_pipeline
from explainer.demo.recipe import Recipe, Trained


def train(data: Dataset) -> Trained:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=100, max_depth=6, min_samples_leaf=5, max_features=0.5, random_state=0, n_jobs=1
    )
    return train_pipeline(forest, data, scale=False)


RECIPE = Recipe(
    name="diabetes-forest",
    format="sklearn-skops",
    file="model.skops",
    library="scikit-learn",
    task="regression",
    output="raw",
    classes=(),
    positive_class=None,
    decision=None,
    dataset=diabetes,
    train=train,
    kind="A scikit-learn pipeline: a random forest of 100 trees of depth 6",
    training="Settings are common ones for so few rows, at least five patients in a leaf; none was tuned.",
    purpose="Demonstrates explanations of a number: estimates how far diabetes has progressed one year after the "
    "baseline examination, on the scale of the source (25 to 346, higher is worse).",
    flaws=(
        "The source does not say which code of `sex` is which, nor what the scale of the target is.",
        "The columns `s1` to `s6` of scikit-learn have plain names here; for `log_triglycerides` the source itself "
        "only says 'possibly'.",
        "Total cholesterol, its parts and their ratio are nearly functions of one another: how the model divides their "
        "common effect is partly chance.",
    ),
    misuse=(
        "Advice, diagnosis or treatment of anybody: the data are 442 patients of an old study of unknown setting.",
        "Reading the output as a clinical measure: the source does not say what the scale of progression is.",
        "Claims about causes: the blood values hang together, and an attribution only says what the model used.",
    ),
    order=4,
)
