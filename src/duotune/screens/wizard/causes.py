"""Which field a check of the plan is about, so that one comes from the one to the other."""

from __future__ import annotations

import re

from duotune.plan.records import Check
from duotune.screens.wizard.draft import Draft
from duotune.widgets.field_face import keys_of

_KEYS = frozenset(keys_of(""))
_OF_CHECKS = {
    "material": "projects[0].languages",
    "recipes": "data.recipes.fim",
    "base model": "model.path",
    "quantization": "model.quantization",
    "target modules": "lora.target_modules",
    "embedder": "evaluation.embedder",
    "data location": "data.location",
    "adapter location": "adapter.location",
    "adapter name": "adapter.name",
    "memory": "training.per_device_train_batch_size",
    "split by time": "data.held_out_after",
    "test files": "data.test_fraction",
}


def cause_of(check: Check, draft: Draft) -> str:
    """Key of the field that a check is about; empty where no field of the wizard is.

    The sentence that says what to do names the field where there is one; else the check's own name tells.
    """
    if check.name.startswith("project "):
        names = [project["name"] for project in draft.projects]
        name = check.name.removeprefix("project ")
        field = "exclude" if "exclude" in check.detail else "include" if "include" in check.detail else "source"
        return f"projects[{names.index(name)}].{field}" if name in names else "projects"
    for text in (check.hint, check.detail):
        for word in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", text):
            if word in _KEYS:
                return str(word)
    return _OF_CHECKS.get(check.name, "")
