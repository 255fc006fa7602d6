"""What somebody else than duotune did to its files: noticed, refused, and copied aside before it is overwritten."""

from __future__ import annotations

import time
from collections.abc import Iterator

from duotune.adapters.verify import Check
from duotune.catalog.catalog import Catalog
from duotune.config.host import ServingConfig
from duotune.errors import HostError, printable
from duotune.paths import host_config_file
from duotune.runs.pause import pause_name
from duotune.serving.deployment import EDITS
from duotune.serving.files import config_file, directory, written_config
from duotune.serving.service import Service
from duotune.serving.unit import is_as_written


def check_edits(catalog: Catalog, service: Service, unit_text: str) -> Iterator[Check]:
    """Whether the YAML and the units are as an apply left them, and no unit of another name serves the same."""
    edited = list(_edited(catalog, service, unit_text))
    if edited:
        detail = (
            f"{' and '.join(edited)} was edited by hand, not written by an apply; put the changes into a drop-in or "
            f"{printable(host_config_file())}, or let `duotune serve apply --overwrite` replace them (copies are kept)"
        )
        yield Check(EDITS, False, detail)
    else:
        yield Check(EDITS, True, "all files are as an apply left them" if written_config() is not None else "none yet")
    for stray in service.strays():
        control = f"systemctl {'--user ' if service.user_manager else ''}disable --now {stray.name}"
        detail = (
            f"{printable(stray)} serves the same from when serving.unit had that name, and would go on beside the new "
            f"one; run `{control}`, remove that file, and plan again"
        )
        yield Check("unit", False, detail)


def _edited(catalog: Catalog, service: Service, unit_text: str) -> Iterator[str]:
    ours = catalog.deployments.all()
    written, installed, pause = written_config(), service.unit_text(), service.pause_text()
    if config_file().is_dir() or (written is not None and written not in {one.yaml for one in ours}):
        yield "the YAML"
    known = {unit_text, *(one.unit for one in ours)}
    if installed is not None and installed not in known and not is_as_written(installed):
        yield "the unit"
    if pause is not None and not is_as_written(pause):
        yield "the target that pauses it"


def keep_edited(serving: ServingConfig, service: Service) -> str:
    """Copy the YAML and the units aside before one that was edited by hand is overwritten.

    Returns:
        Where the copies are, as a sentence.

    Raises:
        HostError: They cannot be copied.
    """
    ending = f".edited-{time.strftime('%Y%m%d-%H%M%S')}"
    texts = {serving.unit: service.unit_text(), pause_name(serving): service.pause_text()}
    try:
        if config_file().is_dir():
            config_file().rename(directory() / f"{config_file().name}{ending}")
        elif config_file().exists():
            (directory() / f"{config_file().name}{ending}").write_bytes(config_file().read_bytes())
        for name, text in texts.items():
            if text is not None:
                (directory() / f"{name}{ending}").write_text(text)
    except OSError as error:
        raise HostError(
            f"What was edited by hand cannot be copied to {printable(directory())}: {error.strerror}.",
            "Nothing was changed; check the disk and the owner of that folder.",
        ) from error
    return f"Your version is kept in {printable(directory())}, in files whose names end with {ending}."
