"""Administration of what roles see and how much may be asked for, and what the extraction meter reads."""

from __future__ import annotations

from typing import Any, get_args

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.budgets import EVERY, Limits
from explainer.access.permissions import Permission
from explainer.disclosure.levels import Detail, Policy, Score
from explainer.disclosure.policies import SETTABLE
from explainer.errors import InvalidOption, RequestRefused
from explainer.usecases import budgets, disclosing
from explainer.usecases.admit import needs
from explainer.usecases.extraction import ALERT, LEVELS, REFUSE, TIGHTEN
from explainer.usecases.recording import record_refusal
from webui.session import caller, rooms

DETAILS = {
    "full": "every digit",
    "rounded": "two digits",
    "reasons": "leading features in order, no sizes",
    "texts": "the owner's words alone",
}
SCORES = {"full": "every digit", "rounded": "two digits", "none": "the decision only"}
COUNTED = {"rows": "Rows", "distinct": "Distinct rows", "evaluations": "Model rows evaluated"}
WINDOWS = {"minute": "in a minute", "day": "in a day", "version": "of one version, ever"}
LARGEST = 2**53


@needs(Permission.POLICY_MANAGE)
def list_policies() -> BaseResponse:
    """GET lists policies, holds and the meter; POST chooses a policy."""
    if request.method == "POST":
        form = request.form
        given: dict[str, Any] = {"values": form.get("values") == "yes", "most": _number("most")}
        given |= {name: form.get(name, "full") for name in ("detail", "prediction")}  # `set_policy` checks these
        policy = Policy(**given)
        disclosing.set_policy(rooms(), caller(), form.get("role", ""), _model(), policy)
        return redirect(url_for("webui.list_policies"), 303)
    shown = disclosing.show_policies(rooms(), caller())
    page = render_template(
        "policies.html",
        shown=shown,
        roles=SETTABLE,
        details={name: DETAILS[name] for name in get_args(Detail)},
        scores={name: SCORES[name] for name in get_args(Score)},
        names=_names(),
        every=EVERY,
        versions=_versions(),
        levels=LEVELS,
        thresholds=(ALERT, TIGHTEN, REFUSE),
    )
    return make_response(page)


@needs(Permission.POLICY_MANAGE)
def reset_policy() -> BaseResponse:
    disclosing.reset_policy(rooms(), caller(), request.form.get("role", ""), _model())
    return redirect(url_for("webui.list_policies"), 303)


@needs(Permission.POLICY_MANAGE)
def release_hold() -> BaseResponse:
    disclosing.release(rooms(), caller(), request.form.get("principal", ""), _model())
    return redirect(url_for("webui.list_policies"), 303)


@needs(Permission.POLICY_MANAGE)
def list_budgets() -> BaseResponse:
    """GET lists budgets, POST sets one; a refused form is shown again with the reason."""
    error = None
    if request.method == "POST":
        try:
            limits = Limits(**{name: _number(name) for name in Limits().__slots__})
            budgets.set_budget(rooms(), caller(), request.form.get("whom", "").strip(), _model(), limits)
        except RequestRefused as refused:
            record_refusal(rooms().ledger, caller(), "budget:set", refused.code)
            error = refused
        else:
            return redirect(url_for("webui.list_budgets"), 303)
    given = [] if error else budgets.show_budgets(rooms(), caller())
    page = render_template(
        "budgets.html",
        budgets=given,
        told=told,
        counted=COUNTED,
        windows=WINDOWS,
        roles=SETTABLE,
        names=_names(),
        every=EVERY,
        error=error,
        typed=request.form,
    )
    return make_response(page, error.status if error else 200)


@needs(Permission.POLICY_MANAGE)
def reset_budget() -> BaseResponse:
    budgets.reset_budget(rooms(), caller(), request.form.get("whom", ""), _model())
    return redirect(url_for("webui.list_budgets"), 303)


def told(limits: Limits) -> list[str]:
    """Each bound in words."""
    given = [(name.partition("_"), most) for name, most in limits.named() if most is not None]
    return [f"{most:,} {COUNTED[count].lower()} {WINDOWS[window]}" for (count, _, window), most in given]


def _model() -> str:
    return request.form.get("model", "").strip() or EVERY


def _number(field: str) -> int | None:
    """A whole number; empty for no bound."""
    text = request.form.get(field, "").replace(",", "").replace(" ", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 17) or int(text) >= LARGEST:
        raise InvalidOption(f"{field}: give a whole number, or leave it empty for no bound.")
    return int(text)


def _names() -> list[str]:
    """The models that the one who looks may choose for."""
    who, access = caller().principal, rooms().access
    return [n for n in rooms().registry.names() if access.may(who, Permission.POLICY_MANAGE, n)]


def _versions() -> dict[str, Any]:
    """Versions by their digest, as the meter names them."""
    return {v.digest: v.manifest.version for v in rooms().registry.versions()}


def add_routes(blueprint: Blueprint) -> None:
    both, post, policies, limits = ["GET", "POST"], ["POST"], "/limits/policies", "/limits/budgets"
    blueprint.add_url_rule(policies, view_func=list_policies, methods=both)
    blueprint.add_url_rule(f"{policies}/reset", view_func=reset_policy, methods=post)
    blueprint.add_url_rule(f"{policies}/release", view_func=release_hold, methods=post)
    blueprint.add_url_rule(limits, view_func=list_budgets, methods=both)
    blueprint.add_url_rule(f"{limits}/reset", view_func=reset_budget, methods=post)
