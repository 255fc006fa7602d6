"""The wizard's memory bar against a GPU, told by a stand-in for its driver."""

from __future__ import annotations

from pathlib import Path

from duotune.widgets.field_row import FieldRow
from support.app import Session, drive
from support.nvml import GIB, Card, Driver, installed
from support.projects import standard_library
from support.repositories import make_repository
from support.wizard import add_project, next_step, open_wizard, until, wizard


def test_the_bar_is_that_of_the_gpu_and_turns_to_words_when_the_run_does_not_fit(
    micro_model: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    make_repository(tmp_path / "billing", standard_library("json"))
    card = Card(name="NVIDIA L4", total=24 * GIB, held={1: 3 * GIB}, reserved=GIB // 2)

    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, tmp_path / "billing")
        for step in ("Files", "Data and storage", "Model"):
            await next_step(session, step)
        wizard(session).query_one("#field-model-path", FieldRow).go_to()
        await session.type(str(micro_model))
        await until(session, "GiB of 20.5 GiB free on the GPU")
        card.held[1] = 23 * GIB - GIB // 2
        wizard(session)._change(lambda draft: draft.put("training.gradient_accumulation_steps", 2))
        await until(session, "May not fit: 1.54 GiB of 1 GiB")
        card.held[1] = 23 * GIB
        wizard(session)._change(lambda draft: draft.put("training.per_device_train_batch_size", 2))
        await until(session, "Does not fit")
        assert "0.5 GiB" in session.text or "512 MiB" in session.text

    with installed(Driver(card)):
        drive(play, size)
