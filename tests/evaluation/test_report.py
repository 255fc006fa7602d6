"""The page that people read."""

from duotune.evaluation.report import as_markdown
from duotune.evaluation.results import Evaluation, Groups, ItemResult, Pair
from duotune.evaluation.score import summarise_groups
from support.scored import scored_item

HOSTILE = "x\x1b]0;owned\x07\x9b2J\u202ey\rz"
NO_GROUPS = Groups(languages={}, projects={})
COMPARED = Evaluation(
    verdict="no evidence",
    reason="None.",
    compared=True,
    sets={},
    embedder=f"model {HOSTILE}",
    random_pair_similarity=0.1,
    model="m",
    precision="bfloat16",
)


def gaining(**fields: str) -> ItemResult:
    return scored_item(0, edit_similarity=Pair(base=0.1, adapter=0.9)).model_copy(update=fields)


def test_a_page_of_hostile_text_does_nothing_to_a_terminal() -> None:
    item = gaining(**dict.fromkeys(("before", "after", "gold", "base", "adapter", "path", "project"), HOSTILE))
    page = as_markdown("name", COMPARED, NO_GROUPS, {"fim": [item]})
    assert [character for character in page if not character.isprintable() and character not in "\n\t"] == []
    assert page.count("x\\x1b]0;owned\\x07\\x9b2J\\u202ey\\rz") == 8


def test_lines_and_tabs_of_code_stay_and_its_fence_cannot_be_closed() -> None:
    code = "def f():\r\n\treturn 1\n```\n"
    page = as_markdown("name", COMPARED, NO_GROUPS, {"fim": [gaining(gold=code)]})
    assert "````\ndef f():\n\treturn 1\n```\n\n````" in page


def test_languages_are_compared_where_there_are_several_and_an_interval_takes_two_files() -> None:
    items = [scored_item(number, edit_similarity=Pair(base=0.1, adapter=0.2 + 0.1 * number)) for number in range(3)]
    go = scored_item(3, edit_similarity=Pair(base=0.9, adapter=0.4)).model_copy(update={"language": "Go|\x1b"})
    page = as_markdown("name", COMPARED, summarise_groups([*items, go], seed=0), {})
    (python,) = (line for line in page.splitlines() if line.startswith("| Python"))
    assert python.startswith("| Python | 3 | 3 | +0.200 (")
    assert "| Go\\|\\x1b | 1 | 1 | -0.500 (unknown) |" in page
    assert "## By language" in page
    assert "## By project" not in page, "all are of one"
