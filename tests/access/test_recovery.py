"""Proves that recovery codes are shown once and good once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from explainer.access.admit import Access
from explainer.access.recovery import RecoveryCodes


@pytest.fixture
def codes(access: Access) -> RecoveryCodes:
    return access.factors.recovery


def test_ten_codes_each_good_once(codes: RecoveryCodes) -> None:
    """Each opens once, and the number that is left is counted."""
    made = codes.renew("usr_1")
    assert len(set(made)) == codes.left("usr_1") == 10
    for i, code in enumerate(made):
        assert re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code)
        assert codes.spend("usr_1", code)
        assert not codes.spend("usr_1", code)
        assert codes.left("usr_1") == 9 - i


def test_a_code_may_be_typed_as_people_type(codes: RecoveryCodes) -> None:
    """Without hyphens, in capitals, with spaces."""
    first, second = codes.renew("usr_1")[:2]
    assert codes.spend("usr_1", first.replace("-", "").upper())
    assert codes.spend("usr_1", f" {second.replace('-', ' ')} ")


@pytest.mark.parametrize("typed", ["", "-", "aaaa-aaaa-aaaa-aaaa", "\ud800", "x" * 100_000])
def test_nothing_else_opens(codes: RecoveryCodes, typed: str) -> None:
    """Whatever is typed is refused without an error."""
    codes.renew("usr_1")
    assert not codes.spend("usr_1", typed)


def test_codes_belong_to_one_person(codes: RecoveryCodes) -> None:
    """Another person's code opens nothing and is not used up by trying."""
    code = codes.renew("usr_1")[0]
    codes.renew("usr_2")
    assert not codes.spend("usr_2", code)
    assert codes.spend("usr_1", code)


def test_new_codes_end_the_old(codes: RecoveryCodes) -> None:
    """A list that was found somewhere is worth nothing any more."""
    old = codes.renew("usr_1")[0]
    codes.renew("usr_1")
    assert not codes.spend("usr_1", old)
    assert codes.left("usr_1") == 10


def test_no_code_is_on_the_disk(codes: RecoveryCodes, tmp_path: Path) -> None:
    """Only digests are kept."""
    made = codes.renew("usr_1")
    stored = b"".join(part.read_bytes() for part in tmp_path.iterdir())
    for code in made:
        assert code.encode() not in stored
        assert code.replace("-", "").encode() not in stored
