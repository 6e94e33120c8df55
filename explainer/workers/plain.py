"""Records to JSON values and back, strictly by their type hints; what JSON lacks (NaN, bytes) travels as text."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import math
import types
import typing
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

Decoder = Callable[[Any], Any]
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class PlainError(ValueError):
    """A JSON value does not have the form of the record that is expected."""


def to_plain(value: Any) -> Any:
    """Return `value` built of dict, list, str, int, float, bool and None; TypeError for what a record cannot hold."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, (Path, bytes)):
        return str(value) if isinstance(value, Path) else base64.b64encode(value).decode()
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: to_plain(getattr(value, name)) for name in _names(type(value))}
    raise TypeError(f"{type(value).__name__} is not a value that records hold")


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


def from_plain(kind: Any, plain: Any) -> Any:
    """Build a `kind` from what `to_plain` made of one; PlainError names the place that does not fit."""
    return decoder(kind)(plain)


@cache
def decoder(kind: Any) -> Decoder:
    """Return the function that builds one `kind`: a record, a plain type, or a tuple, dict or union of such."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _record(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return _literal(arguments)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:
        return _sequence(arguments[0]) if arguments[1:] == (...,) else _fixed(arguments)
    if origin is dict:
        return _mapping(arguments[1])
    return _SCALARS[kind]


def _record(kind: type) -> Decoder:
    hints = typing.get_type_hints(kind)
    names = tuple(hints)
    expected = frozenset(names)

    def build(plain: Any) -> Any:
        if not isinstance(plain, dict) or plain.keys() != expected:
            raise PlainError(f"{kind.__name__} must be an object with exactly {', '.join(names)}.")
        return kind(*(part(plain[name]) for name, part in parts))

    parts = tuple((name, decoder(hints[name])) for name in names)
    return build


def _literal(allowed: tuple[Any, ...]) -> Decoder:
    def build(plain: Any) -> Any:
        if not isinstance(plain, str) or plain not in allowed:
            raise PlainError(f"A value is not one of {', '.join(map(str, allowed))}.")
        return plain

    return build


def _union(options: tuple[Any, ...]) -> Decoder:
    parts = [decoder(option) for option in options if option is not type(None)]
    optional = type(None) in options

    def build(plain: Any) -> Any:
        if plain is None and optional:
            return None
        for part in parts[:-1]:
            try:
                return part(plain)
            except PlainError:
                continue
        return parts[-1](plain)

    return build


def _items(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise PlainError("A list was expected.")
    return plain


def _sequence(item: Any) -> Decoder:
    part = decoder(item)
    return lambda plain: tuple(part(entry) for entry in _items(plain))


def _fixed(items: tuple[Any, ...]) -> Decoder:
    parts = [decoder(item) for item in items]

    def build(plain: Any) -> Any:
        if len(_items(plain)) != len(parts):
            raise PlainError(f"A list of {len(parts)} was expected.")
        return tuple(part(entry) for part, entry in zip(parts, plain, strict=True))

    return build


def _mapping(item: Any) -> Decoder:
    part = decoder(item)

    def build(plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise PlainError("An object was expected.")
        return {key: part(entry) for key, entry in plain.items()}

    return build


def _exact(kind: type) -> Decoder:
    def build(plain: Any) -> Any:
        if type(plain) is not kind:
            raise PlainError(f"A {kind.__name__} was expected, not a {type(plain).__name__}.")
        return plain

    return build


def _float(plain: Any) -> float:
    if type(plain) is float:
        return plain
    if isinstance(plain, str) and plain in NOT_FINITE:
        return NOT_FINITE[plain]
    if type(plain) is int:
        return float(plain)
    raise PlainError("A number was expected.")


def _bytes(plain: Any) -> bytes:
    if not isinstance(plain, str):
        raise PlainError("Bytes as base64 were expected.")
    try:
        return base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        raise PlainError("Bytes as base64 were expected.") from None


def _path(plain: Any) -> Path:
    if not isinstance(plain, str):
        raise PlainError("A path was expected.")
    return Path(plain)


_SCALARS: dict[Any, Decoder] = {
    str: _exact(str),
    int: _exact(int),
    bool: _exact(bool),
    float: _float,
    bytes: _bytes,
    Path: _path,
}
