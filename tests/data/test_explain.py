"""Any one file's verdict, by today's rules and by the latest preparation."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.config.run import DataConfig, ProjectConfig, RunConfig
from duotune.data.explain import Explanation, explain
from duotune.data.report import funnel_of
from duotune.errors import UsageError
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.directory import create_run
from duotune.runs.events import StageFinished, StageStarted
from duotune.runs.journal import Journal
from duotune.runs.results import PreparedProject
from duotune.sources.open import open_source
from support.preparing import MODULES, STANDARD_LIBRARY, dataset_of, part_of
from support.runs import prepared


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / "out" / "deep").mkdir(parents=True)
    (folder / "tools").mkdir()
    for module in MODULES[:20]:
        (folder / f"{module}.py").write_bytes((STANDARD_LIBRARY / f"{module}.py").read_bytes())
    (folder / "zz_copy.py").write_bytes((folder / "heapq.py").read_bytes())
    (folder / "out" / "deep" / "a.py").write_text("a = 1\n" * 50)
    (folder / "tools" / "release.py").write_bytes((STANDARD_LIBRARY / "uuid.py").read_bytes())
    (folder / "wide.py").write_text(f"a = '{'x' * 2000}'\n")
    (folder / "new\nline.py").write_text("a = 1\n")
    (folder / ".gitignore").write_text("out/\n")
    return folder


def ask(folder: Path, path: str) -> Explanation:
    project = ProjectConfig(name="library", source=str(folder))
    with open_source(project.source) as source:
        return explain(source, project, DataConfig(), path)


def test_kept_and_left_out(folder: Path) -> None:
    kept = ask(folder, "./heapq.py")
    assert (kept.kept, kept.reason, kept.language, kept.path) == (True, None, "Python", "heapq.py")
    assert kept.verdict == "passes the filters"
    assert "zz_copy.py has the same content" in kept.sentence
    assert "heapq.py has the same content" in ask(folder, "zz_copy.py").sentence
    assert "shows after a preparation" in ask(folder, "glob.py").sentence
    wide = ask(folder, "wide.py")
    assert (wide.kept, wide.reason, wide.detail) == (False, "long-lines", "longest line 2,006 characters")
    assert wide.size_bytes == 2007
    assert "tools/" in ask(folder, "tools/release.py").detail


def test_a_directory_that_was_left_out_whole_is_named(folder: Path) -> None:
    inside = ask(folder, "out/deep/a.py")
    assert (inside.kept, inside.reason, inside.directory) == (False, "ignored", "out/")
    assert inside.sentence.startswith("All of out/ is left out.")
    assert ask(folder, "out").reason == "ignored"


def test_a_name_is_found_as_it_is_and_as_it_is_printed(folder: Path) -> None:
    assert ask(folder, "new\nline.py").path == ask(folder, "new\\nline.py").path == "new\\nline.py"


def test_an_unknown_path_names_the_nearest_and_a_directory_one_of_its_files(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"library has no file haepq\.py") as error:
        ask(folder, "haepq.py")
    assert "heapq.py" in error.value.hint
    with pytest.raises(UsageError, match=r"tools/ is a directory of library with 1 file") as error:
        ask(folder, "tools/")
    assert "tools/release.py" in error.value.hint


def test_paths_in_hints_hold_neither_control_characters_nor_tokens(folder: Path) -> None:
    token = "gl" + "pat-" + "x7Kq9ZmP2vRt4WnB8sLd"
    (folder / "tools" / f"{token}\x1b[2J.py").write_text("a = 1\n" * 50)
    (folder / "tools" / "release.py").unlink()
    for path in (f"{token[:-1]}.py", "tools/"):
        with pytest.raises(UsageError) as error:
            ask(folder, path)
        assert "REDACTED_TOKEN\\x1b[2J.py" in error.value.hint
        assert token not in error.value.hint


def test_the_latest_preparation_tells_of_duplicates_and_splits(
    folder: Path, tokenizer: CodeTokenizer, tmp_path: Path
) -> None:
    (folder / "near.py").write_text("# Nearly the same.\n" + (folder / "glob.py").read_text())
    part = part_of(folder, tokenizer, name="library")
    dataset = dataset_of([part], tokenizer)
    config = RunConfig.model_validate(
        {
            "name": "first",
            "projects": [{"name": "library", "source": str(folder)}],
            "model": {"path": "tiny"},
            "adapter": {"name": "first"},
        }
    )
    run = create_run(config)
    result = prepared(
        dataset=str(dataset.directory),
        fingerprint=dataset.fingerprint,
        projects=[PreparedProject(name="library", commit=None, files=1, rejected=1, tokens=1, reused=False)],
        funnel=funnel_of(dataset.manifest),
    )
    with Journal(run.journal_file) as journal:
        journal.append(StageStarted(stage="prepare"))
        journal.append(StageFinished(stage="prepare", result=result.model_dump(mode="json")))
    told = ask(folder, "zz_copy.py")
    assert (told.verdict, told.kept, told.reason) == ("left out", False, "exact-duplicate")
    told = ask(folder, "heapq.py")
    assert (told.verdict, told.kept, told.reason) == ("kept", True, None)
    copy, near, kept = (ask(folder, path).preparation for path in ("zz_copy.py", "near.py", "heapq.py"))
    assert copy is not None
    assert near is not None
    assert kept is not None
    assert (copy.run, copy.reason, copy.repeats) == (run.id, "exact-duplicate", "library:heapq.py")
    assert near.sentence == "left out: near-duplicate of library:glob.py"
    assert kept.reason is None
    assert kept.split in ("train", "validation", "test")
    assert f"{kept.tokens:,} tokens" in kept.sentence
    assert ask(folder, "wide.py").preparation is not None
    assert run.state().funnel == funnel_of(dataset.manifest).model_dump(mode="json")
    text = (folder / "near.py").read_text()
    (folder / "near.py").write_text(text + "\n# More, so that it is another file now.\n")
    changed = ask(folder, "near.py")
    assert (changed.verdict, changed.kept, changed.reason) == ("passes the filters", True, None)
    assert changed.preparation is not None
    assert changed.preparation.sentence == "with other content: left out: near-duplicate of library:glob.py"
    (folder / "heapq.py").write_text((folder / "heapq.py").read_text().replace("heap", "pile"))
    assert ask(folder, "heapq.py").verdict == "passes the filters"
