"""Writes a model's card: what it is for, how well it does on rows it has not seen, and what it must not do."""

from __future__ import annotations

from explainer.demo.datasets import Dataset
from explainer.demo.metrics import Scored
from explainer.demo.recipe import MODEL_LICENSE, Recipe, Trained
from explainer.demo.results import classifier_results, regression_results


def write_card(recipe: Recipe, data: Dataset, trained: Trained) -> str:
    """The text of `card.md`; every number under 'Results' is measured now, on the test rows."""
    test, train = (
        Scored(data.target[rows], trained.predict(data.rows[rows])[:, -1]) for rows in (data.test, data.train)
    )
    if recipe.decision is not None:
        results = classifier_results(data, test, train, recipe.decision.threshold)
    else:
        results = regression_results(data, test, train)
    lines = [f"# {recipe.name}", "", recipe.purpose, "", f"{recipe.kind}.", ""]
    lines += ["## It must not be used for", "", *_bullets(recipe.misuse), ""]
    lines += [*_data_section(recipe, data), *results]
    lines += ["## Licence", "", f"Model: {MODEL_LICENSE}. Data: {data.license}. {data.source}.", ""]
    return "\n".join(lines)


def _data_section(recipe: Recipe, data: Dataset) -> list[str]:
    drawn = "with equal shares of bad loans" if recipe.classes else "at random"
    split = f"{len(data.train)} rows for training and {len(data.test)} for testing, split {drawn} by a fixed seed."
    return [
        "## Data and training",
        "",
        f"{data.source}. {split} {recipe.training}",
        "",
        "Known flaws:",
        "",
        *_bullets(recipe.flaws),
        "",
    ]


def _bullets(texts: tuple[str, ...]) -> list[str]:
    return [f"- {text}" for text in texts]
