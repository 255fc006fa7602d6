"""The fourth step: base model, names and hyperparameters, with the memory and the time that follow from them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from duotune.errors import DuotuneError, Problem, printable
from duotune.runs.wording import in_gib, in_words
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.looking import Looks
from duotune.screens.wizard.pane import FormPane, Obstacle
from duotune.widgets.field_face import keys_of
from duotune.widgets.form import Form, HelpLine
from duotune.widgets.glyphs import glyphs
from duotune.widgets.meter import bar

if TYPE_CHECKING:
    from duotune.screens.wizard.models import BaseModel, Expected

FIRST = (
    "lora.r",
    "lora.lora_alpha",
    "training.num_train_epochs",
    "training.learning_rate",
    "training.per_device_train_batch_size",
    "training.gradient_accumulation_steps",
    "training.max_minutes",
)
NAMES = ("model.path", "name", "adapter.name")
REST = tuple(
    key
    for section in ("model", "adapter", "lora", "training", "evaluation")
    for key in keys_of(section)
    if key not in (*FIRST, *NAMES, "adapter.location")
)
SECONDS_BEFORE_ESTIMATE = 0.2
METER = 16
UNKNOWN = "correct the fields first"


class ModelPane(FormPane):
    """Model, names, hyperparameters."""

    about = (
        "The base model stays as it is; the adapter is trained beside it. F4 lists the models of this host, any "
        "other directory can be typed. Each setting has a slider and an exact field; a mark says where the default is. "
        "Below, memory and time follow what is set: they are estimates, and say where they come from."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "choose", "Models", id="model.choose", tooltip="Choose among the models of this host"),
    ]

    more = REST

    def __init__(self, looks: Looks) -> None:
        super().__init__("model")
        self._looks = looks
        self._model: BaseModel | None = None
        self._refused: DuotuneError | None = None
        self._asked_model = ""
        self._asked_figures: object = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The form, the help of its focused field, and what is expected."""
        yield Form()
        yield HelpLine()
        yield Static("", id="memory", markup=False)
        yield Static("", id="time", markup=False)

    def rows(self) -> Iterable[Widget]:
        """Model, names, and the settings that matter most."""
        yield self.field("model.path", "F4 lists models")
        yield Static("", id="facts", markup=False)
        yield from map(self.field, NAMES[1:])
        yield Static("Hyperparameters", classes="heading")
        yield from map(self.field, FIRST)

    def show(self, draft: Draft) -> None:
        """Values and problems; the model and the figures are asked for when they may have changed."""
        super().show(draft)
        if not self.query("#facts"):
            return
        path = str(draft.value("model.path") or "")
        if path != self._asked_model:
            self._asked_model, self._model, self._refused = path, None, None
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(SECONDS_BEFORE_ESTIMATE, self._ask_model)
        self._draw()
        self._ask_figures()

    def obstacle(self, draft: Draft) -> Obstacle | None:
        """The folder is no model, which stands below its field; or it is being looked at."""
        if str(draft.value("model.path") or "") != self._asked_model:
            return None  # nobody has been here yet: the review looks at it
        if self._refused is not None:
            return Obstacle("model.path", "")
        return (
            Obstacle("model.path", "The model is being looked at; then this goes on.", True)
            if not self._model
            else None
        )

    def command(self, draft: Draft) -> str:
        """The file with the names."""
        name = draft.value("name")
        return f"duotune config new{f' --name {shlex.quote(str(name))}' if name else ''} > run.toml"

    def refresh_looks(self) -> None:
        """Something more is known of the projects: time follows their size."""
        self._ask_figures()

    def action_choose(self) -> None:
        """List the models of this host."""
        from duotune.screens.wizard.choose_model import ChooseModel

        path = str(self.draft.value("model.path") or "")
        self.app.push_screen(ChooseModel(self.page, path), self._chosen)

    def _chosen(self, path: str | None) -> None:
        if path is not None:
            self.put("model.path", path)

    def _ask_model(self) -> None:
        path = self._asked_model
        if path:
            self.page.in_background(
                partial(_read_model, path),
                partial(self._found_model, path),
                trouble=partial(self._no_model, path),
            )
        self._draw()

    def _found_model(self, path: str, model: BaseModel) -> None:
        if path == self._asked_model:
            self._model = model
            self.call_next(self._looks.found_out)
            self._draw()
            self._ask_figures()

    def _no_model(self, path: str, error: DuotuneError) -> None:
        if path == self._asked_model:
            self._refused = error
            self.call_next(self._looks.found_out)
            self._draw()

    def _amount(self) -> tuple[int, int]:
        """Tokens and bytes of what the projects bring, as far as is known."""
        looks = [self._looks.of(project["source"], project.get("ref", "HEAD")) for project in self.draft.projects]
        surveys = [look.survey for look in looks if look.survey is not None]
        return sum(survey.estimated_tokens for survey in surveys), sum(survey.bytes for survey in surveys)

    def _ask_figures(self) -> None:
        config, model = self.draft.mended, self._model
        wanted = (config, model, self._amount())
        if model is not None and any(map(_counts, self.draft.problems)):
            self._asked_figures = None
            self.query_one("#memory", Static).update(Content.assemble(("Memory  ", "$text-muted"), UNKNOWN))
            self.query_one("#time", Static).update(Content.assemble(("Time    ", "$text-muted"), UNKNOWN))
            return
        if config is None or model is None or wanted == self._asked_figures:
            return
        self._asked_figures = wanted
        self.set_timer(SECONDS_BEFORE_ESTIMATE, partial(self._work_out, wanted))

    def _work_out(self, wanted: object) -> None:
        config, model = self.draft.mended, self._model
        if wanted is not self._asked_figures or config is None or model is None:
            return  # something has changed since
        work = partial(_expect, config, model, *self._amount())
        self.page.in_background(work, partial(self._show_figures, wanted))

    def _show_figures(self, wanted: object, expected: Expected) -> None:
        if wanted is not self._asked_figures:
            return
        memory, signs = expected.memory.total_bytes, glyphs()
        where = "free on the GPU" if expected.device != "cpu" else "host memory, no GPU"
        amount = f"{in_gib(memory)} of {in_gib(expected.free)} {where} (estimated)"
        if expected.check.status == "ok":
            line = Content.assemble(
                ("Memory  ", "$text-muted"), bar(memory / max(1, expected.free), METER), f" {amount}"
            )
        else:
            refused = expected.check.status == "refused"
            verdict = f"{signs.bad} Does not fit" if refused else f"{signs.warning} May not fit"
            style = "$text-error" if refused else "$text-warning"
            line = Content.styled(printable(f"{verdict}: {amount}. {expected.check.hint}"), style)
        self.query_one("#memory", Static).update(line)
        stages = ", ".join(
            f"{stage} {in_words(duration.seconds)}"
            for stage, duration in expected.durations.items()
            if stage != "publish"
        )
        basis = "measured here" if all(d.basis == "measured" for d in expected.durations.values()) else "estimated"
        total = in_words(sum(duration.seconds for duration in expected.durations.values()))
        words = f"about {total} ({basis}): {stages}"
        if not self._amount()[0]:
            words = "known once the projects are looked at"
        self.query_one("#time", Static).update(Content.assemble(("Time    ", "$text-muted"), words))

    def _draw(self) -> None:
        facts = self.query_one("#facts", Static)
        if self._refused is not None:
            words = f"{glyphs().bad} {self._refused.message} {self._refused.hint}"
            facts.update(Content.styled(printable(words), "$text-error"))
        elif self._model is not None:
            facts.update(printable(self._model.facts))
        else:
            facts.update("looking …" if self._asked_model else "")
        if self._model is None:
            self._asked_figures = None
            self.query_one("#memory", Static).update("")
            self.query_one("#time", Static).update("")


def _counts(problem: Problem) -> bool:
    """Whether memory and time are not known for it: names do not matter to them."""
    return problem.key.startswith(("model", "data", "lora", "training", "evaluation"))


def _read_model(path: str) -> BaseModel:
    from duotune.screens.wizard.models import read_model

    return read_model(path)


def _expect(config: object, model: BaseModel, tokens: int, source_bytes: int) -> Expected:
    from duotune.config.run import RunConfig
    from duotune.screens.wizard.models import expect

    assert isinstance(config, RunConfig)
    return expect(config, model, tokens, source_bytes)
