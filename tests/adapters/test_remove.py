"""Removing a version: what it takes away, what forbids it, and that its number is never given again."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune import paths
from duotune.adapters.remove import consequences, remove
from duotune.catalog.catalog import Catalog
from duotune.errors import StorageError, UsageError
from support.publishing import Publisher
from support.s3 import S3Server


def test_the_row_and_the_files_go_and_the_number_stays_taken(publisher: Publisher, catalog: Catalog) -> None:
    publisher(1)
    doomed = publisher(2).version
    remove(catalog, doomed)
    assert [version.name for version in catalog.adapters.versions()] == ["demo.v1"]
    assert not (paths.adapters() / "demo.v2").exists()
    assert publisher(3).name == "demo.v3"
    assert publisher(2).name == "demo.v4"


def test_the_last_version_takes_the_adapter_along_and_the_name_is_free_for_another_base(
    publisher: Publisher, catalog: Catalog
) -> None:
    remove(catalog, publisher().version)
    assert catalog.adapters.find("demo") is None
    assert publisher(base="base-b").name == "demo.v2"


def test_files_on_s3_go_with_the_copy_on_this_host(publisher: Publisher, catalog: Catalog, server: S3Server) -> None:
    location = "s3://models/a"
    doomed = publisher(location=location).version
    remove(catalog, doomed)
    assert not server.client().list_objects_v2(Bucket="models").get("Contents")
    assert not (paths.adapters() / "demo.v1").exists()


def test_what_a_deployment_names_stays(publisher: Publisher, catalog: Catalog) -> None:
    version = publisher().version
    catalog.deployments.add("base-a", "yaml", "unit", [(version.adapter, version.version)])
    with pytest.raises(UsageError, match="deployment 1 names it"):
        remove(catalog, version)
    assert Path(version.local_path).is_dir()


def test_projects_are_never_left_with_an_adapter_without_versions(publisher: Publisher, catalog: Catalog) -> None:
    first = publisher(1).version
    catalog.assignments.set("shop", ["demo"])
    with pytest.raises(UsageError, match="shop would be left"):
        remove(catalog, first)
    second = publisher(2).version
    assert "demo.v1 takes its place" in " ".join(consequences(catalog, second))
    remove(catalog, second)
    assert catalog.assignments.get("shop") == ("demo",)


def test_files_that_cannot_be_deleted_are_named(publisher: Publisher, catalog: Catalog, server: S3Server) -> None:
    version = publisher(location="s3://models/a").version
    server.stop()
    with pytest.raises(StorageError, match="out of the catalog, but its files are not all deleted"):
        remove(catalog, version)
    assert not catalog.adapters.versions()
