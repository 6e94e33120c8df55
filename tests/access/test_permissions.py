"""Proves the form of permissions."""

from __future__ import annotations

import re

from explainer.access.permissions import Permission


def test_every_permission_is_scope_resource_action() -> None:
    """All values have three lower-case parts, and no two are alike."""
    assert all(re.fullmatch(r"[a-z]+:[a-z]+:[a-z-]+", p.value) for p in Permission)
    assert len({p.value for p in Permission}) == len(Permission.__members__)
