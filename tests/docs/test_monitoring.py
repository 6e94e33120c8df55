"""The reference, the alert rules and the dashboard name exactly the metrics that the service answers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from explainer.app import create_app
from explainer.monitoring.catalogue import METRICS
from explainer.monitoring.page import Readings, page
from tests.house import build

DOCS = Path("docs")
RULES = DOCS / "monitoring/alerts.yml"
DASHBOARD = DOCS / "monitoring/grafana.json"
NAME = re.compile(r"\bexplainer_[a-z_]+\b")
SUFFIXES = re.compile(r"_(bucket|count|sum)$")


def answered(folder: Path) -> set[str]:
    """The names on a page that the service answers."""
    text = page(folder, Readings(True, 1, 1, 1, 1)).decode()
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def named(text: str) -> set[str]:
    return {SUFFIXES.sub("", name) for name in NAME.findall(text)}


def panels() -> list[dict]:  # type: ignore[type-arg]
    found: list[dict] = json.loads(DASHBOARD.read_text())["panels"]  # type: ignore[type-arg]
    return found


def test_the_reference_lists_exactly_the_metrics_that_exist(tmp_path: Path) -> None:
    """Each with its type and labels; none that is not answered, none missing."""
    text = (DOCS / "reference/metrics.md").read_text()
    rows = dict(re.findall(r"^\| `(explainer_\w+)` \| (.+) \| .+ \|$", text, re.MULTILINE))
    assert set(rows) == answered(tmp_path)
    for name, metric in METRICS.items():
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
        assert rows[name] == f"{metric.kind} | {labels}", name


@pytest.mark.parametrize("path", [RULES, DOCS / "monitoring/alerts_test.yml", DASHBOARD], ids=lambda p: p.name)
def test_rules_and_dashboard_name_metrics_that_exist(path: Path, tmp_path: Path) -> None:
    """A renamed metric would leave a rule that never fires."""
    assert named(path.read_text()) <= answered(tmp_path)


def test_pages_name_metrics_that_exist(tmp_path: Path) -> None:
    """What the how-to pages name is there."""
    for name in ("monitor.md", "alerts.md"):
        assert named((DOCS / "how-to" / name).read_text()) <= answered(tmp_path), name


def test_the_dashboard_shows_every_metric(tmp_path: Path) -> None:
    """Nothing is measured that nobody can see."""
    assert named(DASHBOARD.read_text()) == answered(tmp_path)


def test_labels_in_rules_and_dashboard_exist() -> None:
    """Whatever is selected or grouped by is a label of that metric, or one that Prometheus adds."""
    added = {"instance", "job", "le"}
    for text in [RULES.read_text(), *(t["expr"] for p in panels() for t in p.get("targets", ()))]:
        for name, selected in re.findall(r"\b(explainer_[a-z_]+)\{([^}]*)\}", text):
            labels = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', selected))
            assert labels <= {*METRICS[SUFFIXES.sub("", name)].labels, *added}, (name, labels)


def test_the_dashboard_can_be_imported() -> None:
    """Panels have distinct ids, a place of their own, a description, a data source that is chosen, and queries."""
    found = panels()
    assert len({p["id"] for p in found}) == len(found)
    taken: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        place = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not place & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= place
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["targets"], panel["title"]


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", RULES.read_text())


def test_every_alert_says_what_to_do() -> None:
    """Each has a severity, a summary, a description and a section of the page that it links to."""
    text, page_text = RULES.read_text(), (DOCS / "how-to/alerts.md").read_text()
    blocks = text.split("- alert: ")[1:]
    for block in blocks:
        name = block.split()[0]
        assert re.search(r"severity: (critical|warning)\b", block), name
        assert re.search(r"summary: \S", block), name
        assert re.search(r"description: \S", block), name
        assert f"runbook_url: docs/how-to/alerts.md#{name.lower()}\n" in block, name
        section = re.search(rf"^## {name}\n(.+?)(?=^## |\Z)", page_text, re.MULTILINE | re.DOTALL)
        assert section, name
        assert len(section[1]) > 100, name
    assert sorted(re.findall(r"^## (\w+)", page_text, re.MULTILINE)) == sorted(alerts())


def test_every_alert_is_tested() -> None:
    """alerts_test.yml makes each fire once, and looks at each while all is well."""
    text = (DOCS / "monitoring/alerts_test.yml").read_text()
    for name in alerts():
        assert f"- name: {name} fires" in text, name
        assert re.search(rf"\{{alertname: {name}, eval_time", text), name


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool on this machine; install it (Debian: apt-get install prometheus)")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_prometheus_takes_the_rules() -> None:
    """promtool finds nothing wrong with the rules, and every test of theirs passes."""
    checked = promtool("check", "rules", str(RULES))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool("test", "rules", str(DOCS / "monitoring/alerts_test.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_prometheus_takes_the_configuration(tmp_path: Path) -> None:
    """The sample configuration is valid once the key's file is there."""
    (tmp_path / "key").write_text("xk")
    text = (DOCS / "monitoring/prometheus.yml").read_text()
    (tmp_path / "alerts.yml").write_text(RULES.read_text())
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/explainer-key", str(tmp_path / "key")))
    checked = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_lints_the_page(tmp_path: Path) -> None:
    """promtool's own check of names, types and help finds nothing to say about the page of an idle service."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool on this machine; install it (Debian: apt-get install prometheus)")
    text = page(tmp_path, Readings(True, 1, 1, 1, 1))
    checked = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_routes_in_rules_and_dashboard_exist(tmp_path: Path) -> None:
    """What they select by route is a route of the service, or the end of several."""
    house = build(tmp_path)
    routes = {rule.rule for rule in create_app(house.rooms, house.serving).url_map.iter_rules()} | {"/metrics"}
    for text in (RULES.read_text(), DASHBOARD.read_text().replace('\\"', '"')):
        for pattern in re.findall(r'route(?:=~|!~|=)"([^"]+)"', text):
            for part in pattern.split("|"):
                assert any(re.fullmatch(part, route) for route in routes), part
