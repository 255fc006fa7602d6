"""What it takes to get from what runs to what is planned: nothing, adapters alone, or a restart."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from duotune.catalog.deployments import Deployment
from duotune.config.host import ServingConfig
from duotune.endpoint.address import Address, parse_address
from duotune.endpoint.client import Endpoint, Refused, Unreachable
from duotune.errors import printable
from duotune.serving.deployment import Change, ChangeKind
from duotune.serving.files import config_file, written_config
from duotune.serving.service import Service
from duotune.serving.vllm_config import MODULES, LoraRoom, address_of, parsed, room_of, served_adapters

LIST_SECONDS = 10.0


def roomy(
    needed: LoraRoom | None, serving: ServingConfig, service: Service, proven: Deployment | None
) -> LoraRoom | None:
    """The room to plan with: what a running vLLM has set aside already, when that holds what is needed.

    A smaller room would save memory, but cost a restart; it is taken with the next one.
    """
    unproven = proven is None or written_config() != proven.yaml
    if needed is None or proven is None or unproven or not service.state().up or not serving.listen.startswith("unix:"):
        return needed
    there = room_of(parsed(proven.yaml))
    return there if there and there.slots == needed.slots and there.holds(needed) else needed


def change_to(
    config_text: str, unit_text: str, serving: ServingConfig, service: Service, proven: Deployment | None
) -> Change:
    """Compare a generation with what is installed and runs.

    Args:
        config_text: Its YAML.
        unit_text: Its unit.
        serving: The host's settings.
        service: Who runs vLLM.
        proven: The generation that serves by the catalog; None when none was proven to.
    """
    before, unit_before = written_config(), service.unit_text()
    unit_changed = unit_before is not None and unit_before != unit_text
    old, new = parsed(before or ""), parsed(config_text)
    was, will = served_adapters(old), served_adapters(new)
    added = tuple(name for name, path in will.items() if was.get(name) != path)
    removed = tuple(name for name, path in was.items() if will.get(name) != path)
    diff = _diff(before, config_text, config_file()) + _diff(unit_before, unit_text, Path(serving.unit))

    def change(kind: ChangeKind, why: str) -> Change:
        return Change(kind, why, added, removed, diff)

    if not service.state().up:
        return change("start", "vLLM does not run; it will be started.")
    if unit_changed:
        return change("restart", "The unit changes, so vLLM will be restarted.")
    drop_ins = service.changed_drop_ins()
    if drop_ins:
        return change("restart", f"{printable(drop_ins[0])} changed since vLLM was started: it will be restarted.")
    if proven is None or before != proven.yaml:  # an apply was killed half-way, or somebody edited the YAML
        return change("restart", "What vLLM serves was not proven by an apply: it will be restarted.")
    address = address_of(new) or parse_address(serving.listen)
    live = live_adapters(address)
    if before == config_text and live == will:
        return change("none", "vLLM serves exactly this.")
    others = sorted(key for key in {*old, *new} - {MODULES} if old.get(key) != new.get(key))
    if others:
        verbs = "changes, and is" if len(others) == 1 else "change, and are"
        return change("restart", f"{_listed(others)} {verbs} read only at the start: vLLM will be restarted.")
    if live is None:
        return change("restart", "vLLM does not answer: it will be restarted.")
    if not address.socket:
        return change("restart", "Adapters are loaded while vLLM runs only over a unix socket: it will be restarted.")
    return change("hot", "Only adapters come or go: they are loaded while vLLM runs.")


def live_adapters(address: Address) -> Mapping[str, Path] | None:
    """Name and directory of each adapter that vLLM lists; None when it does not answer."""
    try:
        with Endpoint(address, answer_seconds=LIST_SECONDS) as endpoint:
            return endpoint.adapters()
    except (Refused, Unreachable):
        return None


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def change_between(before: Deployment, after: Deployment, unit: str) -> str:
    """How the files of two deployments differ, as a diff; empty where they do not."""
    was, will = f"deployment {before.id}", f"deployment {after.id}"
    of_config = _diff(before.yaml, after.yaml, Path(config_file().name), was, will)
    return of_config + _diff(before.unit, after.unit, Path(unit), was, will)


def _diff(before: str | None, after: str, file: Path, was: str = "now", will: str = "planned") -> str:
    if before is None or before == after:
        return ""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"{file} ({was})", f"{file} ({will})"
    )
    return "".join(lines)
