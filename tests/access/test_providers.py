"""Proves what a file of trusted providers may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.access.providers import DEFAULT_ALGORITHMS, Grant, is_safe_address, read_providers
from explainer.settings import SettingsError

GOOD = """
[[provider]]
name = "corporate"
issuer = "https://id.example"
audiences = ["explainer"]
client_id = "pages"
client_secret_file = "/run/secrets/oidc"

[[provider.grant]]
claim = "groups"
value = "credit-risk"
role = "reviewer"
models = ["credit-gbm"]

[[provider.grant]]
claim = "groups"
value = "it"
role = "administrator"
"""


def read(folder: Path, text: str) -> object:
    path = folder / "oidc.toml"
    path.write_text(text)
    return read_providers(path)


def test_a_file_is_read(tmp_path: Path) -> None:
    """Grants in their order, defaults where nothing is said; no file is no provider."""
    path = tmp_path / "oidc.toml"
    path.write_text(GOOD)
    (found,) = read_providers(path)
    assert found.grants == (
        Grant("groups", "credit-risk", "reviewer", ("credit-gbm",)),
        Grant("groups", "it", "administrator"),
    )
    assert (found.algorithms, found.client_secret_file) == (DEFAULT_ALGORITHMS, Path("/run/secrets/oidc"))
    assert read_providers(None) == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"https://id.example"', '"http://id.example"', "https"),
        ('"https://id.example"', '"file:///x"', "https"),
        ('name = "corporate"', 'name = "a/b"', "letters"),
        ('name = "corporate"', "", "name"),
        ('audiences = ["explainer"]', 'audiences = "explainer"', "list"),
        ('audiences = ["explainer"]', "audiences = []", "list"),
        ('audiences = ["explainer"]', 'algorithms = ["HS256"]', "HS256"),
        ('audiences = ["explainer"]', 'algorithms = ["none"]', "none"),
        ('client_id = "pages"', 'client = "pages"', "client"),
        ('client_id = "pages"', "client_id = 7", "text"),
        ('role = "reviewer"', 'role = "local"', "local"),
        ('role = "reviewer"', 'role = "demo"', "demo"),
        ('role = "reviewer"', 'role = "king"', "king"),
        ('value = "credit-risk"', 'value = ""', "texts"),
        ('claim = "groups"\nvalue = "it"', 'claim = "groups"', "value"),
        ("[[provider]]", "[[providers]]", "providers"),
        ("[[provider]]", "[[provider", "cannot be read"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    """A provider that cannot be trusted as it is written stops the start, with the reason."""
    assert old in GOOD
    with pytest.raises(SettingsError, match="EXPLAINER_OIDC") as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(caught.value)


def test_a_provider_is_good_for_something(tmp_path: Path) -> None:
    """With neither audiences nor a client it is a mistake; so are two of one name or issuer, and no file."""
    with pytest.raises(SettingsError, match="audiences"):
        read(tmp_path, '[[provider]]\nname = "a"\nissuer = "https://a.example"')
    with pytest.raises(SettingsError, match="same"):
        read(tmp_path, GOOD + GOOD)
    with pytest.raises(SettingsError):
        read_providers(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://id.example/a", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://[::1]:9", True),
        ("http://id.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("https://", False),
        ("javascript:alert(1)", False),
    ],
)
def test_addresses(address: str, safe: bool) -> None:
    """TLS everywhere but on this machine."""
    assert is_safe_address(address) is safe
