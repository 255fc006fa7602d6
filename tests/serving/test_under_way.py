"""What others see while somebody changes what is served."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog, open_catalog
from duotune.config.host import HostConfig
from duotune.hardware.host import user_name
from duotune.serving.apply import apply
from duotune.serving.files import one_at_a_time
from duotune.serving.foreground import Foreground
from duotune.serving.planning import plan_deployment
from duotune.serving.status import ServingStatus, read_status
from duotune.serving.wording import status_rows
from support.serving import publish_adapter


def test_vllm_that_is_being_proven_is_no_stranger_and_not_good_yet(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    seen: list[ServingStatus] = []

    def look(*_: object) -> None:
        with open_catalog() as other:
            seen.append(read_status(other, host, service))

    apply(catalog, host, service, plan_deployment(catalog, host, service), look)
    proven = [found for found in seen if found.applying and found.answers]
    assert proven, "a look while its adapters were probed"
    assert not any(found.stranger or found.good or found.interrupted for found in seen if found.applying)
    said = dict(status_rows(proven[-1]))
    assert "not proven yet" in said["answers"]
    assert said["deployment"] == "none yet"
    assert "1 is being applied" in said[""]
    look()
    assert seen[-1].good


def test_plan_beside_an_apply_says_whose_it_is_and_nothing_that_would_end_it(
    catalog: Catalog,
    host: HostConfig,
    service: Foreground,
    micro_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    with one_at_a_time():
        pid = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: 1)
        (first, *others) = plan_deployment(catalog, host, service).refusals()
    assert f"is being changed by {user_name()} (process {pid}); wait for that" in first.detail
    assert not [check for check in others if check.name == "restart"]
