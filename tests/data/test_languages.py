"""Languages are told by name, shebang and content."""

from __future__ import annotations

import pytest

from duotune.data.languages import by_path, detect, known_languages, resolve
from duotune.errors import UsageError


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("src/a.py", "", "Python"),
        ("a/b/CMakeLists.txt", "", "CMake"),
        ("Dockerfile.prod", "", "Dockerfile"),
        ("GNUmakefile", "", "Makefile"),
        ("web/App.tsx", "", "TSX"),
        ("views/home.blade.php", "", "Blade"),
        ("deep/lib.d.ts", "export {}", "TypeScript"),
        ("po/strings.ts", '<?xml version="1.0"?>', "XML"),
        ("include/list.h", "int length(struct list *l);\n", "C"),
        ("include/list.h", "#pragma once\nnamespace a {\nclass List {};\n}\n", "C++"),
        ("Sources/View.h", "#import <UIKit/UIKit.h>\n@interface View\n@end\n", "Objective-C"),
        ("Sources/View.m", "@implementation View\n@end\n", "Objective-C"),
        ("solve.m", "x = A \\ b;\n", "MATLAB"),
        ("bin/start", "#!/usr/bin/env -S python3.11 -u\n", "Python"),
        ("bin/start", "#!/bin/bash\n", "Shell"),
        ("schema.SQL", "", "SQL"),
    ],
)
def test_language_of_a_file(path: str, text: str, name: str) -> None:
    language = detect(path, text)
    assert language is not None
    assert language.name == name


def test_what_is_not_known_has_no_language() -> None:
    assert detect("bin/start", "just words\n") is None
    assert by_path("strange.qqq") is None


def test_table_names_every_language_once_and_keeps_code_alone_by_default() -> None:
    names = [language.name for language in known_languages()]
    assert len(names) == len(set(names)) >= 100
    kept = {language.name for language in known_languages() if language.kept_by_default}
    assert {"Python", "SQL", "Shell", "CMake", "Makefile", "Dockerfile", "Vue"} <= kept
    assert kept.isdisjoint({"JSON", "YAML", "Markdown", "CSS", "HTML", "Text", "CSV"})


def test_chosen_languages_are_matched_without_case_and_a_wrong_one_is_corrected() -> None:
    assert resolve(["python", "c++"]) == {"Python", "C++"}
    with pytest.raises(UsageError, match="'Pyton' is not known") as caught:
        resolve(["Pyton"])
    assert "'Python'" in caught.value.hint


def test_languages_are_left_out_of_those_chosen_or_of_the_default() -> None:
    assert resolve(["python", "!C", "c"]) == {"Python"}
    default = {language.name for language in known_languages() if language.kept_by_default}
    assert resolve(["! python"]) == default - {"Python"}
    assert resolve([]) == frozenset()
    with pytest.raises(UsageError, match="leave every language out"):
        resolve(["Python", "!Python"])
    with pytest.raises(UsageError, match="is not known"):
        resolve(["!Pyton"])
