"""The page that people read."""

from duotune.evaluation.report import as_markdown
from duotune.evaluation.results import Evaluation, ItemResult, Pair
from support.scored import scored_item

HOSTILE = "x\x1b]0;owned\x07\x9b2J\u202ey\rz"
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
    page = as_markdown("name", COMPARED, {"fim": [item]})
    assert [character for character in page if not character.isprintable() and character not in "\n\t"] == []
    assert page.count("x\\x1b]0;owned\\x07\\x9b2J\\u202ey\\rz") == 8


def test_lines_and_tabs_of_code_stay_and_its_fence_cannot_be_closed() -> None:
    code = "def f():\r\n\treturn 1\n```\n"
    page = as_markdown("name", COMPARED, {"fim": [gaining(gold=code)]})
    assert "````\ndef f():\n\treturn 1\n```\n\n````" in page
