"""A model file breaks a rule of its format."""

from __future__ import annotations

from explainer.errors import Problem


class UnfitError(Exception):
    """The file breaks the rule `rule` of its format; `detail` is a sentence for people."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule, self.detail = rule, detail

    @property
    def problem(self) -> Problem:
        return Problem("model.file", self.rule, self.detail)
