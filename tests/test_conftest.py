"""Facts about the rule that nothing is skipped where everything must run, and about the browser."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SKIPPING = """
import pytest

def test_skipped():
    pytest.skip("no such service here")

@pytest.mark.xfail(strict=True)
def test_expected_failure():
    raise AssertionError
"""


def run_pytest(folder: Path, repository: Path, content: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text((repository / "tests" / "conftest.py").read_text())
    (folder / "test_it.py").write_text(content)
    (folder / "pytest.ini").write_text("[pytest]\n")
    kept = {name: value for name, value in os.environ.items() if name != "REQUIRE_ALL"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False, cwd=folder)


def test_a_skip_passes_by_default(tmp_path: Path, repository: Path) -> None:
    """Without REQUIRE_ALL a skipped test leaves the run green."""
    done = run_pytest(tmp_path, repository, SKIPPING)
    assert done.returncode == 0, done.stdout
    assert "1 skipped, 1 xfailed" in done.stdout


def test_a_skip_fails_where_all_are_required(tmp_path: Path, repository: Path) -> None:
    """With REQUIRE_ALL=1 a skip fails and tells its reason, while an expected failure stays expected."""
    done = run_pytest(tmp_path, repository, SKIPPING, REQUIRE_ALL="1")
    assert done.returncode == 1
    assert "no such service here" in done.stdout
    assert "1 failed, 1 xfailed" in done.stdout


def test_a_skipped_file_fails_where_all_are_required(tmp_path: Path, repository: Path) -> None:
    """With REQUIRE_ALL=1 a file that skips itself as a whole fails as well."""
    whole = 'import pytest\npytest.importorskip("no_such_library_anywhere")\n'
    done = run_pytest(tmp_path, repository, whole, REQUIRE_ALL="1")
    assert done.returncode != 0
    assert "no_such_library_anywhere" in done.stdout


@pytest.mark.browser
def test_the_browser_renders_a_page(browser: Browser) -> None:
    """The browser that the fixture starts runs a page's script and shows its outcome."""
    page = browser.new_page()
    page.set_content("<p id=sum></p><script>document.getElementById('sum').textContent = 40 + 2</script>")
    assert page.inner_text("#sum") == "42"
    page.close()
