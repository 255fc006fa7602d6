"""The second phase: what is frozen into a run, and which runs go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.config.host import ServingConfig
from duotune.errors import ExitCode, HostError, UsageError
from duotune.hardware.estimate import MemoryEstimate
from duotune.plan import start as starting
from duotune.plan.checks import disk_check, memory_check
from duotune.plan.resolve import plan
from duotune.plan.start import go_on, start
from duotune.runs.directory import RunDirectory
from duotune.runs.events import RunFinished
from duotune.runs.fold import EXPECTED_SECONDS
from duotune.runs.journal import Journal
from duotune.runs.launcher import Launched
from support.projects import make_project, small_run
from support.repositories import commit_files


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RunDirectory, bool]]:
    """What would have been launched: the run, and whether it inherits the environment."""
    calls: list[tuple[RunDirectory, bool]] = []

    def launch(run: RunDirectory, inherit: bool, serving: ServingConfig) -> Launched:
        calls.append((run, inherit))
        return Launched("session", None, note="as a session")

    monkeypatch.setattr(starting, "launch", launch)
    return calls


def test_commit_is_frozen_when_the_branch_moves_on(
    tmp_path: Path, micro_model: Path, launched: list[tuple[RunDirectory, bool]]
) -> None:
    source = make_project(tmp_path / "code")
    planned = plan(small_run(source, micro_model))
    commit_files(source, {"later.py": b"print('later')\n" * 30}, "later")
    started = start(planned)
    (project,) = started.run.read_config().projects
    assert project.ref == planned.projects[0].commit
    assert project.ref != "HEAD"
    with open_catalog() as catalog:
        assert catalog.projects.get("code").ref == "HEAD"
    assert started.note == "as a session"
    assert launched == [(started.run, False)]


def test_expected_seconds_of_every_stage_are_journaled(
    tmp_path: Path, micro_model: Path, launched: list[tuple[RunDirectory, bool]]
) -> None:
    run = start(plan(small_run(make_project(tmp_path / "code"), micro_model)), until="train").run
    state = run.state()
    expected = state.decisions[EXPECTED_SECONDS]
    assert isinstance(expected, dict)
    assert set(expected) == {"prepare", "train", "evaluate", "publish"}
    assert [stage.name for stage in state.stages] == ["prepare", "train"]


def test_refused_plan_starts_nothing(tmp_path: Path, launched: list[tuple[RunDirectory, bool]]) -> None:
    refused = plan(small_run(tmp_path / "nowhere", tmp_path / "no-model"))
    with pytest.raises(UsageError, match="nowhere"):
        start(refused)
    assert launched == []


def test_finished_run_does_not_go_on(
    tmp_path: Path, micro_model: Path, launched: list[tuple[RunDirectory, bool]]
) -> None:
    run = start(plan(small_run(make_project(tmp_path / "code"), micro_model))).run
    with Journal(run.journal_file) as journal:
        journal.append(RunFinished())
    with pytest.raises(UsageError, match="is finished"):
        go_on(run)
    assert len(launched) == 1


def test_keys_that_live_only_in_the_environment_are_inherited_and_never_detached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    config = small_run(tmp_path, tmp_path)
    assert starting._inherits_keys(config, detach=True) is False
    remote = config.model_copy(update={"data": config.data.model_copy(update={"location": "s3://b/p"})})
    assert starting._inherits_keys(remote, detach=False) is True
    with pytest.raises(UsageError, match="only in this shell's environment"):
        starting._inherits_keys(remote, detach=True)


def test_named_layers_embedder_and_quantization_are_checked_before_any_work(tmp_path: Path, micro_model: Path) -> None:
    config = small_run(make_project(tmp_path / "code"), micro_model)
    config = config.model_copy(
        update={
            "lora": config.lora.model_copy(update={"target_modules": ["q_proj", "qq_proj"]}),
            "evaluation": config.evaluation.model_copy(update={"embedder": str(tmp_path / "none")}),
            "model": config.model.model_copy(update={"quantization": "nf4"}),
        }
    )
    refused = {check.name: check.detail for check in plan(config).refusals}
    assert set(refused) == {"target modules", "embedder", "quantization"}
    assert "qq_proj" in refused["target modules"]
    with pytest.raises(HostError, match="nf4"):
        plan(config).raise_if_refused()


def test_memory_warns_and_refuses_what_is_far_too_much_and_disk_refuses() -> None:
    estimate = MemoryEstimate(10, 10, 10, 10, 10, 10)
    assert memory_check(estimate, 50, "cpu").status == "ok"
    assert memory_check(estimate, 49, "cpu").status == "warning"
    assert memory_check(estimate, 25, "cpu").detail.startswith("may not fit: ")
    far = memory_check(estimate, 24, "cpu")
    assert far.status == "refused"
    assert far.exit_code == ExitCode.ENVIRONMENT
    assert far.detail.startswith("does not fit: ")
    assert disk_check(10, 10).status == "ok"
    assert disk_check(11, 10).status == "refused"


def test_run_is_refused_where_vllm_cannot_make_room(
    tmp_path: Path, micro_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("duotune.runs.systemd.BOOTED", tmp_path / "nowhere")
    config = small_run(make_project(tmp_path / "code"), micro_model)
    assert not plan(config).refusals
    (tmp_path / "duotune.toml").write_text('[serving]\nduring_training = "stop"\n')
    (refused,) = plan(config).refusals
    assert refused.name == "vLLM"
    assert "there is no systemd on this host" in refused.detail
    with pytest.raises(HostError, match="cannot make room"):
        start(plan(config))
