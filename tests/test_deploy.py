"""Facts about compose.yaml and the Kubernetes manifests that can be known without an engine and without a cluster."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from explainer.app import create_app
from explainer.settings import Settings
from tests.house import build

yaml = pytest.importorskip("yaml")
kubernetes_validate = pytest.importorskip("kubernetes_validate")
VERSIONS = ("1.30", "1.34")


def objects(repository: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((repository / "deploy/kubernetes").glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


def kustomization(repository: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((repository / "deploy/kubernetes/kustomization.yaml").read_text())
    return found


def compose(repository: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((repository / "deploy/compose.yaml").read_text())
    return found


def pods(repository: Path) -> dict[str, dict[str, Any]]:
    """The pod of each workload, by the workload's name."""
    workloads = [o for o in objects(repository) if "template" in o.get("spec", {})]
    return {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in workloads}


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object(repository: Path, version: str) -> None:
    """Each object fits the published schema of that version, without a field that it does not know."""
    found = list(objects(repository))
    assert len(found) == 9
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)


def test_a_field_that_does_not_exist_would_be_seen(repository: Path) -> None:
    """The validation is strict: a misspelled field is refused."""
    one = next(o for o in objects(repository) if o["kind"] == "StatefulSet")
    one["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)


def test_the_kustomization_names_every_file(repository: Path) -> None:
    """No manifest lies beside it unused, none is named that is not there."""
    names = {path.name for path in (repository / "deploy/kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization(repository)["resources"]) == names


def test_kubectl_puts_them_together(repository: Path) -> None:
    """Where kubectl is installed, it builds the whole, and the settings reach the pod under the name it asks for."""
    program = shutil.which("kubectl")
    if program is None:
        return
    built = subprocess.run(
        [program, "kustomize", str(repository / "deploy/kubernetes")], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    whole = list(yaml.safe_load_all(built.stdout))
    (settings,) = [o["metadata"]["name"] for o in whole if o["kind"] == "ConfigMap"]
    (service,) = [o for o in whole if o["kind"] == "StatefulSet"]
    (container,) = service["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings}}]
    assert container["image"] == "registry.example/explainer:1"


def test_the_settings_exist(repository: Path) -> None:
    """What both files set is read by the service as it stands there; the values are ones that it takes."""
    literals = kustomization(repository)["configMapGenerator"][0]["literals"]
    cluster = dict(line.split("=", 1) for line in literals)
    (container,) = pods(repository)["explainer"]["containers"]
    cluster |= {e["name"]: e["value"] for e in container["env"] if "value" in e}
    given = compose(repository)["services"]["explainer"]["environment"]
    host = {name: re.sub(r"\$\{PUBLIC_URL:[^}]*\}", "https://why.example", value) for name, value in given.items()}
    for environment in (cluster, host):
        settings = Settings.from_environment(environment)
        assert settings.secure_cookies
        assert settings.redis_url is not None
        assert settings.trusted_proxies


def test_probes_ask_routes_that_exist(repository: Path, tmp_path: Path) -> None:
    """Liveness asks /healthz, readiness /readyz, on the port that the container names."""
    house = build(tmp_path)
    routes = {rule.rule for rule in create_app(house.rooms, house.serving).url_map.iter_rules()}
    (container,) = pods(repository)["explainer"]["containers"]
    asked = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {p["path"] for p in asked.values()} <= routes
    assert (asked["livenessProbe"]["path"], asked["readinessProbe"]["path"]) == ("/healthz", "/readyz")
    assert {p["port"] for p in asked.values()} <= {p["name"] for p in container["ports"]}


def test_pods_have_no_more_than_they_need(repository: Path) -> None:
    """No root, no writable root, no capability, no token of the cluster, bounded memory and processor, everywhere."""
    found = pods(repository)
    assert set(found) == {"explainer", "redis"}
    for name, pod in found.items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert set(container["resources"]["limits"]) >= {"cpu", "memory"}, name


def test_services_of_compose_have_no_more_than_they_need(repository: Path) -> None:
    """A root that cannot be written, no capability, no new privileges, bounded memory, processor and processes."""
    for name, service in compose(repository)["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "cpus", "pids_limit"} <= set(service), name
        assert "privileged" not in service, name
    published = {name for name, s in compose(repository)["services"].items() if "ports" in s}
    assert published == {"proxy"}


def test_one_host_writes_the_records(repository: Path) -> None:
    """One pod, a volume that no second pod can take, and no variables of Kubernetes' own that look like settings."""
    (service,) = [o for o in objects(repository) if o["kind"] == "StatefulSet"]
    assert service["spec"]["replicas"] == 1
    assert service["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert service["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_stopping_leaves_time_for_what_is_being_answered(repository: Path) -> None:
    """Both wait longer for the end than the service gives its requests."""
    grace = compose(repository)["services"]["explainer"]["stop_grace_period"]
    assert float(grace.removesuffix("s")) > Settings().drain_s
    assert pods(repository)["explainer"]["terminationGracePeriodSeconds"] > Settings().drain_s


def test_the_network_is_closed_but_for_what_is_named(repository: Path) -> None:
    """Everything is denied first; Redis is reached by the service alone and reaches nothing."""
    policies = {o["metadata"]["name"]: o["spec"] for o in objects(repository) if o["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert "egress" not in policies["redis"]
    (reached,) = policies["redis"]["ingress"]
    assert reached["from"] == [{"podSelector": {"matchLabels": {"app": "explainer"}}}]
    assert compose(repository)["networks"]["back"] == {"internal": True}


def test_the_proxy_replaces_what_a_client_says_of_itself(repository: Path) -> None:
    """All four forwarded headers are written by the proxy, and the numbers of the service are not for outside."""
    text = (repository / "deploy/nginx.conf").read_text()
    for name in ("For", "Proto", "Host", "Prefix"):
        assert f"proxy_set_header X-Forwarded-{name} " in text
    assert re.search(r"location = /metrics \{\s+return 404;", text)
    limit = re.search(r"client_max_body_size (\d+)m;", text)
    assert limit is not None
    assert int(limit[1]) * 1_000_000 == Settings().max_body_bytes
