"""The registry as others see it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import orjson
import pytest

from explainer.attribution.foreign import familiar
from explainer.errors import Conflict, ExplainerError, ModelRefused, NotFound
from explainer.records import ModelVersion
from explainer.registry.rows import code_rows
from explainer.registry.signature import generate, sign
from explainer.registry.store import Registry
from explainer.settings import Settings
from explainer.workers.vetting import kinds_of
from tests.registry.folders import BACKGROUND, REPORT, ROW, manifest, wide, write_folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(registry=tmp_path / "registry", trusted_keys=tmp_path / "trusted")


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings)


def admit(registry: Registry, tmp_path: Path, version: str = "1.0", name: str = "credit") -> ModelVersion:
    source = write_folder(tmp_path / "source", {"samples.csv": BACKGROUND.encode()}, version=version, name=name)
    return registry.admit(registry.check(source), REPORT)


def test_admitted(registry: Registry, tmp_path: Path) -> None:
    """A registered version is found with its manifest, digest, notices and report."""
    version = admit(registry, tmp_path)
    assert registry.get("credit") == registry.get("credit", "1.0") == version
    assert version.manifest == manifest()
    assert [n.code for n in version.notices] == ["theft"]
    assert registry.names() == ("credit",)
    assert registry.versions() == (version,)
    assert registry.report(version) == REPORT
    record = orjson.loads((version.folder / "registration.json").read_bytes())
    assert (record["digest"], record["sequence"], record["signed_by"]) == (version.digest, 1, None)
    assert version.registered_at == record["registered_at"]


def test_order_background_card_samples(registry: Registry, tmp_path: Path) -> None:
    """What is handed out comes from the registry's own copy, whatever becomes of the source."""
    version = admit(registry, tmp_path)
    for file in (tmp_path / "source").iterdir():
        file.unlink()
    order = registry.order(version)
    assert order.model_path.read_bytes() == b"weights"
    assert order.digest == version.digest
    np.testing.assert_array_equal(registry.background(version), [[12.5, 24, 1, 1], [3, np.nan, 0, 0]])
    assert not registry.background(version).flags.writeable
    assert registry.card(version) == "# Card\nGrüße.\n"
    assert registry.samples(version)[0] == ROW
    assert len(registry.samples(version)) == 2


def test_rows_unlike_the_background_are_told(registry: Registry, tmp_path: Path) -> None:
    """As the version's workers tell them; ordinary rows and a background of two rows are told nothing of."""
    admit(registry, tmp_path)
    rows = code_rows(manifest().features, [ROW, {**ROW, "amount": 900.0}])
    assert registry.unlike(registry.get("credit"), rows) == [(), ()]
    files, background = wide()
    folder = write_folder(tmp_path / "wide", files, version="2.0", background=background)
    version = registry.admit(registry.check(folder), REPORT)
    found = registry.unlike(version, rows)
    assert found[0] == ()
    assert "out-of-range" in {notice.code for notice in found[1]}
    order = registry.order(version)
    workers = familiar(order.background, kinds_of(order.manifest.features), ("amount", "months", "purpose", "phone"))
    assert workers is not None
    assert found == workers.findings(rows)


def test_the_newest_is_the_default(registry: Registry, tmp_path: Path) -> None:
    """The last registered version is the default, whatever its name; retiring gives the one before."""
    versions = [admit(registry, tmp_path, v) for v in ("9", "10", "2")]
    assert registry.get("credit") == versions[2]
    assert [v.manifest.version for v in registry.versions()] == ["2", "10", "9"]
    retired = registry.retire("credit", "2")
    assert retired.retired_at is not None
    assert registry.get("credit") == versions[1]
    assert registry.get("credit", "2") == retired
    assert registry.names() == ("credit",)


def test_retired(registry: Registry, tmp_path: Path) -> None:
    """A retired version is still found by its own name but not served; a second retirement is a conflict."""
    admit(registry, tmp_path)
    assert registry.serve("credit").retired_at is None
    registry.retire("credit", "1.0")
    assert registry.names() == ()
    assert registry.get("credit", "1.0").retired_at is not None
    with pytest.raises(Conflict, match=r"was retired at .* ask for another version"):
        registry.serve("credit", "1.0")
    with pytest.raises(Conflict, match="Every version of credit is retired"):
        registry.get("credit")
    with pytest.raises(Conflict, match=r"was retired at .* already"):
        registry.retire("credit", "1.0")


def test_not_found(registry: Registry, tmp_path: Path) -> None:
    """What is not there is told with the nearest names."""
    admit(registry, tmp_path)
    with pytest.raises(NotFound, match=r"There is no model 'credt'\. Did you mean 'credit'"):
        registry.get("credt")
    with pytest.raises(NotFound, match=r"credit has no version '2'; it has '1\.0'"):
        registry.get("credit", "2")
    with pytest.raises(NotFound):
        registry.retire("loan", "1.0")
    for hostile in ("../credit", "", "a" * 10_000, ".staging"):
        with pytest.raises(NotFound):
            registry.get(hostile, hostile)


def test_a_version_never_changes(registry: Registry, tmp_path: Path) -> None:
    """A version that exists, retired or not, is refused already at the check."""
    admit(registry, tmp_path)
    with pytest.raises(Conflict, match="give the new model another version"):
        registry.check(tmp_path / "source")
    registry.retire("credit", "1.0")
    with pytest.raises(Conflict):
        registry.check(tmp_path / "source")


@pytest.mark.parametrize("file", ["model.skops", "background.csv", "golden.json", "card.md", "samples.csv"])
def test_a_changed_folder_is_not_loaded(registry: Registry, tmp_path: Path, file: str) -> None:
    """One byte changed in any file of a registered version, or the file gone, keeps it from being loaded."""
    version = admit(registry, tmp_path)
    path = version.folder / file
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ModelRefused):
        registry.order(version)
    path.unlink()
    with pytest.raises(ModelRefused):
        registry.order(version)


def test_a_changed_manifest_is_told(settings: Settings, tmp_path: Path) -> None:
    """A version whose manifest was changed is a fault of the registry with its reason."""
    version = admit(Registry(settings), tmp_path)
    path = version.folder / "manifest.toml"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("threshold = 0.5", "threshold = 0.6"))
    fresh = Registry(settings)
    assert fresh.versions() == ()
    assert len(fresh.faults()) == 1
    for pinned in ("1.0", None):
        with pytest.raises(ModelRefused, match="differs from what was registered"):
            fresh.get("credit", pinned)


def test_trust_can_be_withdrawn(registry: Registry, tmp_path: Path) -> None:
    """A signed joblib model is registered under its signer, and is no longer loaded once the key is not trusted."""
    (tmp_path / "trusted").mkdir()
    generate(tmp_path / "key")
    (tmp_path / "key.pub").rename(tmp_path / "trusted" / "anna.pub")
    source = write_folder(tmp_path / "source", format="sklearn-joblib")
    sign(source, tmp_path / "key")
    version = registry.admit(registry.check(source), REPORT)
    assert version.signed_by == registry.order(version).signed_by == "anna"
    (tmp_path / "trusted" / "anna.pub").unlink()
    with pytest.raises(ModelRefused, match="must be signed by a trusted key"):
        registry.order(version)


CHILD = """
import sys
from pathlib import Path
from explainer.registry.store import Registry
from explainer.settings import Settings
from tests.registry.folders import REPORT, write_folder
registry = Registry(Settings(registry=Path(sys.argv[1])))
if sys.argv[2] == "register":
    registry.admit(registry.check(write_folder(Path(sys.argv[3]))), REPORT)
else:
    registry.retire("credit", "1.0")
"""


def test_another_process_is_seen(registry: Registry, settings: Settings, tmp_path: Path) -> None:
    """What another process registers or retires is seen by the very next call here, without a restart."""
    assert registry.names() == ()
    for act, names in (("register", ("credit",)), ("retire", ())):
        command = [sys.executable, "-c", CHILD, str(settings.registry), act, str(tmp_path / "other")]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
        assert registry.names() == names


def test_exactly_one_of_two_wins(settings: Settings, tmp_path: Path) -> None:
    """Of many registrations of one version at once exactly one wins; the others are told of the conflict."""
    crowd = 6
    registries = [Registry(settings) for _ in range(crowd)]
    candidates = [r.check(write_folder(tmp_path / f"s{i}")) for i, r in enumerate(registries)]
    start = threading.Barrier(crowd)
    outcomes: list[type] = []

    def run(i: int) -> None:
        start.wait()
        try:
            outcomes.append(type(registries[i].admit(candidates[i], REPORT)))
        except ExplainerError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(o.__name__ for o in outcomes) == ["Conflict"] * (crowd - 1) + ["ModelVersion"]
    assert len(Registry(settings).versions()) == 1


def test_many_versions_at_once(settings: Settings, tmp_path: Path) -> None:
    """Different versions registered at once all succeed, each with its own place in the order."""
    sources = [write_folder(tmp_path / f"s{i}", version=str(i)) for i in range(5)]

    def run(source: Path) -> None:
        registry = Registry(settings)
        registry.admit(registry.check(source), REPORT)

    threads = [threading.Thread(target=run, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = Registry(settings).versions()
    sequences = [orjson.loads((v.folder / "registration.json").read_bytes())["sequence"] for v in versions]
    assert sequences == [5, 4, 3, 2, 1]


def test_no_heavy_library_is_imported() -> None:
    """What the web process loads of the registry brings no model, frame or Parquet library."""
    code = (
        "import sys, explainer.registry.store, explainer.cli.inputs, explainer.cli.outputs;"
        "heavy = {'pandas', 'pyarrow', 'sklearn', 'scipy', 'shap', 'lime', 'numba', 'skops', 'joblib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
