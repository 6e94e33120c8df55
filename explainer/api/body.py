"""Reads a JSON body strictly: no NaN, no infinities, no duplicate keys, no deep nesting, nothing but UTF-8."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import orjson
from flask import Request, current_app

from explainer.errors import MalformedRequest, UnsupportedMedia

MOST_SETTINGS = 64  # more than any request has; a finding for each of half a million would take seconds


class StrictRequest(Request):
    """A Flask request whose JSON is read by `parse`; every flaw raises MalformedRequest."""

    _parsed: Any = None
    _is_parsed = False

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        if not self._is_parsed:
            if self.mimetype != "application/json":
                raise UnsupportedMedia("Content-Type: send application/json.")
            parsed = parse(self.get_data(), current_app.config["MAX_JSON_DEPTH"])
            if isinstance(parsed, dict) and len(parsed) > MOST_SETTINGS:
                raise MalformedRequest(
                    f"The body has {len(parsed)} settings; no request has more than {MOST_SETTINGS}."
                )
            self._parsed = parsed
            self._is_parsed = True
        return self._parsed


def parse(data: bytes, max_depth: int) -> Any:
    """Return the document's Python form; raises MalformedRequest saying what is wrong and where."""
    if not data.strip():
        raise MalformedRequest("The body is empty: send a JSON object.")
    try:
        text = data.decode("utf-8")
        document = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_integer
        )
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from None
    except json.JSONDecodeError as error:
        raise MalformedRequest(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    if text.count("[") + text.count("{") > max_depth and _deeper_than(document, max_depth):
        raise _too_deep(max_depth)
    if "\\u" in text:
        _refuse_lone_surrogates(document)
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise MalformedRequest(f"The body names {twice[:60]!a} twice in one object: which one is meant?")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedRequest(f"The body holds {name}, which is not JSON; send null where a value is missing.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedRequest(f"The body holds {text[:40]}, which is beyond the largest number.")
    return number


def _integer(text: str) -> int:
    digits = len(text.removeprefix("-"))
    if digits > 40:
        raise MalformedRequest(f"The body holds an integer of {digits} digits; numbers have at most 40.")
    return int(text)


def _too_deep(max_depth: int) -> MalformedRequest:
    return MalformedRequest(f"The body is nested too deeply: at most {max_depth} levels.")


def _deeper_than(document: Any, levels: int) -> bool:
    layer = [document]
    for _ in range(levels):
        layer = [c for x in layer for c in (x.values() if isinstance(x, dict) else x) if isinstance(c, dict | list)]
        if not layer:
            return False
    return True


def _refuse_lone_surrogates(document: Any) -> None:
    try:
        orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        if "surrogate" in str(error) or "UTF-8" in str(error):
            raise MalformedRequest("The body holds half a surrogate pair: the text is not Unicode.") from None
