"""The catalog keeps its promises: one base per name, immutable splits, safe beside other processes."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from duotune.catalog.adapters import Adapter, TrainedProject, Version, split_name
from duotune.catalog.catalog import Catalog, open_catalog
from duotune.catalog.evaluations import EvaluationRecord
from duotune.catalog.projects import Project
from duotune.catalog.splits import RecordedSplit
from duotune.config.run import ProjectConfig
from duotune.errors import HostError, UsageError

V1 = Version("demo", 1, "c1", "/a/demo.v1", "/a/demo.v1", "m1", run="run-1", projects=(TrainedProject("shop", "abc"),))


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    catalog = open_catalog(tmp_path / "state" / "catalog.sqlite")
    catalog.projects.add(Project("shop", "/src/shop", include=("*.py",), languages=("Python",)))
    catalog.adapters.ensure(Adapter("demo", "base-a", "tiny"))
    return catalog


def test_project_comes_back_as_it_was_entered(catalog: Catalog) -> None:
    shop = catalog.projects.get("shop")
    assert (shop.source, shop.ref, shop.include, shop.languages) == ("/src/shop", "HEAD", ("*.py",), ("Python",))
    assert shop.created_at > 0


def test_project_of_a_run_is_that_of_the_next_run(catalog: Catalog) -> None:
    config = ProjectConfig(
        name="web", source="/src/web", ref="v2", include=["*.ts"], exclude=["dist/"], languages=["TypeScript"]
    )
    assert catalog.projects.add(Project.of(config)).config() == config


def test_taken_and_unknown_projects_are_refused_with_names(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="'shop' is already there"):
        catalog.projects.add(Project("shop", "/elsewhere"))
    with pytest.raises(UsageError) as unknown:
        catalog.projects.get("shopp")
    assert "shop" in unknown.value.hint


def test_adding_missing_projects_keeps_what_is_there(catalog: Catalog) -> None:
    catalog.projects.add_missing([Project("shop", "/other"), Project("web", "/src/web")])
    assert [(p.name, p.source) for p in catalog.projects.all()] == [("shop", "/src/shop"), ("web", "/src/web")]


def test_new_project_gets_the_base_model(catalog: Catalog) -> None:
    assert catalog.assignments.get("shop") == ()
    assert catalog.assignments.all() == {"shop": ()}


def test_adapter_name_of_another_base_is_refused(catalog: Catalog) -> None:
    catalog.adapters.check_base("demo", "base-a")
    catalog.adapters.check_base("free", "base-b")
    with pytest.raises(UsageError, match="'demo' belongs to another base model, 'tiny'"):
        catalog.adapters.check_base("demo", "base-b")
    with pytest.raises(UsageError):
        catalog.adapters.ensure(Adapter("demo", "base-b"))


def test_version_comes_back_with_its_projects(catalog: Catalog) -> None:
    catalog.adapters.add_version(V1)
    found = catalog.adapters.get("demo.v1")
    assert found.projects == (TrainedProject("shop", "abc"),)
    assert found.name == "demo.v1"
    assert replace(found, created_at=0.0, published_at=None) == V1
    assert catalog.adapters.with_content("demo", "c1") == found
    assert catalog.adapters.versions(run="run-1") == [found]


def test_version_of_an_unknown_project_leaves_nothing_behind(catalog: Catalog) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        catalog.adapters.add_version(replace(V1, projects=(TrainedProject("nobody"),)))
    assert catalog.adapters.versions() == []


@pytest.mark.parametrize("same", [{"content": "c2"}, {"version": 2}])
def test_number_or_content_never_twice(catalog: Catalog, same: dict[str, str | int]) -> None:
    catalog.adapters.add_version(V1)
    with pytest.raises(UsageError, match="already in the catalog"):
        catalog.adapters.add_version(replace(V1, **same))  # type: ignore[arg-type]


def test_current_version_is_the_newest_published_one(catalog: Catalog) -> None:
    assert catalog.adapters.current("demo") is None
    catalog.adapters.add_version(V1)
    catalog.adapters.add_version(replace(V1, version=2, content="c2", state="withheld"))
    current = catalog.adapters.current("demo")
    assert current is not None
    assert current.version == 1
    forced = catalog.adapters.publish("demo", 2, "ann", "we want it")
    assert (forced.state, forced.published_by, forced.force_reason) == ("published", "ann", "we want it")
    assert catalog.adapters.current("demo") == forced


def test_assignment_is_ordered_and_replaced_whole(catalog: Catalog) -> None:
    catalog.adapters.add_version(V1)
    catalog.adapters.ensure(Adapter("extra", "base-a"))
    catalog.adapters.add_version(replace(V1, adapter="extra"))
    catalog.assignments.set("shop", ["extra", "demo"])
    assert catalog.assignments.get("shop") == ("extra", "demo")
    catalog.assignments.set("shop", [])
    assert catalog.assignments.get("shop") == ()


def test_wrong_assignments_are_refused_and_change_nothing(catalog: Catalog) -> None:
    catalog.adapters.add_version(V1)
    catalog.assignments.set("shop", ["demo"])
    catalog.adapters.ensure(Adapter("held", "base-a"))
    catalog.adapters.add_version(replace(V1, adapter="held", state="withheld"))
    for project, adapters in (("nope", ["demo"]), ("shop", ["nope"]), ("shop", ["held"]), ("shop", ["demo", "demo"])):
        with pytest.raises(UsageError):
            catalog.assignments.set(project, adapters)
    assert catalog.assignments.get("shop") == ("demo",)


def test_project_that_was_trained_on_stays(catalog: Catalog) -> None:
    catalog.projects.add(Project("web", "/src/web"))
    catalog.adapters.add_version(V1)
    with pytest.raises(UsageError, match=r"demo\.v1 was trained on it"):
        catalog.projects.remove("shop")
    catalog.projects.remove("web")
    assert [p.name for p in catalog.projects.all()] == ["shop"]


def test_deployment_keeps_its_versions_and_they_know_it(catalog: Catalog) -> None:
    catalog.adapters.add_version(V1)
    first = catalog.deployments.add("base-a", "model: x", "[Unit]", [("demo", 1)])
    second = catalog.deployments.add("base-a", "model: y", "[Unit]", [])
    catalog.deployments.set_state(first.id, "serving")
    assert [d.id for d in catalog.deployments.all()] == [second.id, first.id]
    assert catalog.deployments.get(first.id).state == "serving"
    assert catalog.deployments.get(first.id).versions == (("demo", 1),)
    assert catalog.deployments.named("demo", 1) == [first.id]


def test_recorded_split_only_moves_towards_test(catalog: Catalog) -> None:
    catalog.splits.record([RecordedSplit("sha-1", "k1", "train", b"\x00\xff")])
    catalog.splits.record([RecordedSplit("sha-1", "k1", "test", b"\x00\xff")])
    catalog.splits.record([RecordedSplit("sha-1", "k9", "train", b""), RecordedSplit("sha-2", "k2", "train", b"\x01")])
    assert list(catalog.splits.recorded()) == [
        RecordedSplit("sha-1", "k1", "test", b"\x00\xff"),
        RecordedSplit("sha-2", "k2", "train", b"\x01"),
    ]


def test_one_writer_of_splits_at_a_time_and_a_killed_one_frees_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    script = """
import sys
from pathlib import Path
from duotune.catalog.catalog import open_catalog
with open_catalog(Path(sys.argv[1])) as catalog, catalog.splits.one_writer():
    print("mine", flush=True)
    sys.stdin.read()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "mine\n"
    waits = []

    def kill_the_other() -> None:
        waits.append(other.poll())
        other.kill()
        other.communicate()

    with open_catalog(path) as catalog, catalog.splits.one_writer(kill_the_other):
        assert waits == [None]


def test_evaluations_come_newest_first(catalog: Catalog) -> None:
    catalog.adapters.add_version(V1)
    for verdict in ("too few", "better"):
        catalog.evaluations.add(EvaluationRecord("demo", 1, "run-1", verdict, "{}"))
    assert [e.verdict for e in catalog.evaluations.of("demo", 1)] == ["better", "too few"]


def test_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    def add_then_fail() -> None:
        with catalog.transaction():
            catalog.projects.add(Project("web", "/src/web"))
            catalog.projects.get("nope")

    with pytest.raises(UsageError):
        add_then_fail()
    assert catalog.projects.find("web") is None


def test_catalog_of_a_newer_duotune_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    open_catalog(path).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(HostError, match="newer duotune"):
        open_catalog(path)


def test_file_that_is_no_catalog_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_text("this is not a database, but long enough to be looked at" * 10)
    with pytest.raises(HostError, match="cannot be used"):
        open_catalog(path)


def test_group_may_write_where_the_umask_lets_it(tmp_path: Path) -> None:
    before = os.umask(0o007)
    try:
        open_catalog(tmp_path / "catalog.sqlite").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "catalog.sqlite").stat().st_mode) == 0o660


def test_processes_that_open_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    script = """
import sys
from pathlib import Path
from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.catalog.splits import RecordedSplit
path, me = Path(sys.argv[1]), sys.argv[2]
for i in range(15):
    with open_catalog(path) as catalog, catalog.transaction():
        catalog.projects.add(Project(f"p{me}-{i}", "/src"))
        catalog.splits.record([RecordedSplit(f"sha-{i}", me, "train", b"x")])
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(me)]) for me in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with open_catalog(path) as catalog:
        assert len(catalog.projects.all()) == 45
        assert len(list(catalog.splits.recorded())) == 15


@pytest.mark.parametrize(
    ("text", "expected"), [("demo.v3", ("demo", 3)), ("demo", ("demo", None)), ("a.v0", ("a.v0", None))]
)
def test_names_are_split_at_their_version(text: str, expected: tuple[str, int | None]) -> None:
    assert split_name(text) == expected
