"""GPUs in the app, told by a stand-in for their driver: who holds their memory, now and while a run is watched."""

from __future__ import annotations

from pathlib import Path

from duotune.catalog.catalog import open_catalog
from duotune.config.load import load_host_config
from duotune.serving.systemd import find_service
from support.app import Session, drive
from support.monitor import open_tab, until, watch
from support.nvml import GIB, Card, Driver, installed
from support.serving import publish_adapter
from support.serving_home import ServingHome
from support.watched import training_run, worked_on

STRANGER = 1
"""A process that is neither a worker nor vLLM."""


def test_home_tells_who_holds_a_gpus_memory_and_how_it_is_doing(
    size: tuple[int, int], home: ServingHome, micro_model: Path, tmp_path: Path
) -> None:
    with open_catalog() as catalog:
        publish_adapter(catalog, micro_model, tmp_path)
    home.start()
    vllm = find_service(load_host_config().serving).state().pid
    assert vllm is not None
    run = training_run()

    async def play(session: Session) -> None:
        lines = session.text.splitlines()
        first = next(number for number, line in enumerate(lines) if line.startswith(" GPU 0"))
        second = next(number for number, line in enumerate(lines) if line.startswith(" GPU 1"))
        told = " · ".join(line.strip() for line in lines[first:second])
        assert told.endswith("100 of 140 GiB: training 60, vLLM 38, others 2 · 87 % busy · 61 °C · 512 W · NVIDIA H200")
        assert all(len(line) <= size[0] for line in lines)
        assert second - first == (2 if size[0] < 100 else 1)
        # No sensors, no processes: no gaps are shown, and what the driver reserves is nobody's.
        assert lines[second].endswith("0 of 24 GiB · NVIDIA L4")
        await session.press("4")
        assert any(line.split()[:6] == ["memory", "38", "GiB", "of", "GPU", "0,"] for line in session.text.splitlines())

    with worked_on(run) as worker:
        held = {worker.pid: 60 * GIB, vllm: 38 * GIB, STRANGER: 2 * GIB}
        with installed(
            Driver(Card(held=held), Card(name="NVIDIA L4", total=24 * GIB, held={STRANGER: GIB >> 8}, quiet=True))
        ):
            drive(play, size)


def test_sixteen_gpus_leave_room_for_runs_in_a_small_terminal_and_cut_no_word() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        lines = session.text.splitlines()
        assert [line.split()[1] for line in lines if line.startswith(" GPU ")] == list("01234567")
        assert "and 8 more, 24 GiB of their memory free" in session.text
        assert any(line.startswith(" Disk") for line in lines)
        assert any(line.startswith(" shop") and "▶ running" in line for line in lines)
        told = next(line for line in lines if line.startswith(" GPU 7"))
        assert told.endswith("77 of 80 GiB: training 70, others 7 · 100 % busy · 61 °C")

    with worked_on(run) as worker:
        cards = [Card(total=80 * GIB, held={worker.pid: 70 * GIB, STRANGER: 7 * GIB}, reserved=0, utilization=100)] * 16
        with installed(Driver(*cards)):
            drive(play)


def test_the_memory_of_the_gpu_that_a_run_is_on_is_drawn_while_it_is_watched() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        card.held[worker.pid] = 30 * GIB
        session.app.screen.on_screen_resume()  # type: ignore[attr-defined]
        await session.settle()
        await open_tab(session, "memory")
        await until(session, "── GPU 1: held by runs 30 GiB")
        assert "● in use by all 32 GiB" in session.text

    with worked_on(run) as worker:
        card = Card(held={worker.pid: 20 * GIB, STRANGER: 2 * GIB})
        with installed(Driver(Card(held={STRANGER: 8 * GIB}), card)):
            drive(play)
