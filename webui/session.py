"""Who is looking at the page: the session cookie, the form token, and the way to the sign-in page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.passkeys import Place
from explainer.access.permissions import Permission
from explainer.errors import ExplainerError, NotAuthenticated, NotPermitted, SecondFactorNeeded
from explainer.usecases.admit import Credentials, admit
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served
from explainer.usecases.signing_in import Browser
from webui.device import device_of

View = TypeVar("View", bound=Callable[..., Any])


def rooms() -> Rooms:
    found: Rooms = current_app.extensions["explainer"].rooms
    return found


def serving() -> Served:
    found: Served = current_app.extensions["explainer"].serving
    return found


def caller() -> Caller:
    found: Caller = g.caller
    return found


def session_token() -> str:
    return request.cookies.get(rooms().settings.session_cookie, "")


def browser() -> Browser:
    """Whoever asks, before it is known who that is."""
    device = device_of(request.headers.get("User-Agent", "")[:500])
    return Browser(g.request_id, request.remote_addr or "", device, session_token() or None)


def passkey_place() -> Place | None:
    """Where passkeys are good: the public address, else `localhost`; None where browsers would refuse them."""
    public = rooms().settings.public_url
    address = urlsplit(public or request.host_url)
    if not public and address.hostname != "localhost":
        return None
    return Place(str(address.hostname), f"{address.scheme}://{address.netloc}")


def public_root() -> str:
    """The address of the pages as people see it, without a slash at its end."""
    return (rooms().settings.public_url or request.host_url.rstrip("/") + request.script_root).rstrip("/")


def during(*steps: str) -> Callable[[View], View]:
    """Declare the steps of a sign-in at which a page is open before the session is a full one."""

    def mark(view: View) -> View:
        view.steps = steps  # type: ignore[attr-defined]
        return view

    return mark


def admit_page(permission: Permission, steps: tuple[str, ...]) -> BaseResponse | None:
    """Set `g.caller`, or lead to the sign-in page, or to the step that is still to come, and back."""
    here = request.full_path.rstrip("?") if request.method == "GET" else None
    credentials = Credentials(session=session_token() or None, steps=steps)
    try:
        g.caller = admit(rooms(), credentials, permission, g.request_id, "page")
    except SecondFactorNeeded as error:
        return redirect(step_page(error.step, here))
    except NotAuthenticated:
        return redirect(url_for("webui.sign_in", next=here))
    return None


def step_page(stage: str, target: str | None) -> str:
    """Where somebody goes on who has come so far with signing in."""
    if stage == "full":
        return target or url_for("webui.home")
    return url_for("webui.prove" if stage == "prove" else "webui.set_up", next=target)


def check_form() -> None:
    """Refuse a form that another site sent, or that carries another session's token."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"} or not _same_origin():
        raise NotPermitted("This form was sent from another site.")
    if "caller" in g and not rooms().access.csrf_fits(session_token(), request.form.get("token", "")):
        raise NotPermitted("This form is from an earlier session: go back, reload the page and send it again.")


def form_token() -> str:
    token = session_token()
    return rooms().access.csrf_token(token) if token else ""


def set_cookie(response: BaseResponse, token: str) -> None:
    settings = rooms().settings
    response.set_cookie(
        settings.session_cookie,
        token,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.secure_cookies,
        path=cookie_path(),
    )


def cookie_path() -> str:
    """A name that begins with `__Host-` asks for the path `/`."""
    return "/" if rooms().settings.secure_cookies else request.script_root or "/"


def local_path(target: str | None) -> str | None:
    """`target` when it leads to a page of this service, else None."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    return target if target.isprintable() and "\\" not in target and not urlsplit(target).netloc else None


def may(permission: str) -> bool:
    """Whether the one who looks may do this: for the links that are worth showing."""
    return "caller" in g and rooms().access.may(g.caller.principal, Permission(permission))


def half_way() -> bool:
    """Whether the sign-in is not finished: then the pages show no way but on and out."""
    if "caller" not in g or g.caller.principal.kind != "person":
        return False
    try:
        rooms().access.principal_of_session(session_token())
    except ExplainerError:  # an error page is shown as well where the accounts cannot be read
        return True
    return False


def _same_origin() -> bool:
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


Answer = BaseResponse | Response | str
