"""What files import, and the order that follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duotune.data.imports import Importing, import_order, imports


def ordered(*files: tuple[str, str, str]) -> list[str]:
    """Paths of (path, language, text), imported ones first."""
    importing = [Importing(path, imports(text, language)) for path, language, text in files]
    return [files[place][0] for place in import_order(importing)]


@pytest.mark.parametrize(
    ("language", "importer", "imported"),
    [
        ("Python", ("a/app.py", "from pkg.models import User, Group\n"), "lib/pkg/models.py"),
        ("Python", ("pkg/app.py", "from . import views\n"), "pkg/views.py"),
        ("Python", ("pkg/sub/app.py", "from ..zeta import (\n    one,\n    two,\n)\n"), "pkg/zeta/__init__.py"),
        ("Python", ("app.py", "import zeta.tools as tools, os\n"), "zeta/tools.py"),
        ("Python", ("app.py", "from os import path\nimport zeta\nfrom x import (y)\n"), "zeta.py"),
        ("JavaScript", ("src/app.js", "const { load } = require('./zlib/load');\n"), "src/zlib/load.js"),
        ("TypeScript", ("src/app.ts", "import type { A } from '../zeta';\n"), "zeta/index.ts"),
        ("TSX", ("src/app.tsx", "export { Button } from './zeta.js';\n"), "src/zeta.ts"),
        ("Java", ("a/App.java", "import static com.acme.Zeta.one;\n"), "src/main/java/com/acme/Zeta.java"),
        ("Go", ("cmd/main.go", 'import (\n\t"fmt"\n\tz "github.com/acme/tool/pkg/zeta"\n)\n'), "pkg/zeta/store.go"),
        ("Rust", ("src/app.rs", "use crate::zeta::Table;\n"), "src/zeta.rs"),
        ("Rust", ("src/main.rs", "pub mod zeta;\n"), "src/zeta/mod.rs"),
        ("C", ("src/app.c", '#include "zeta.h"\n'), "include/zeta.h"),
        ("C++", ("app.cpp", "#include <geometry/zeta.hpp>\n"), "src/geometry/zeta.hpp"),
        ("C#", ("App.cs", "using Acme.Zeta;\n"), "src/Acme/Zeta/Store.cs"),
        ("Ruby", ("app.rb", "require_relative 'lib/zeta'\n"), "lib/zeta.rb"),
        ("Ruby", ("app.rb", "require 'acme/zeta'\n"), "lib/acme/zeta.rb"),
        ("PHP", ("App.php", "<?php\nuse Acme\\Store\\Zeta;\n"), "src/Store/Zeta.php"),
        ("PHP", ("App.php", "<?php\nrequire_once __DIR__ . '/zeta.php';\n"), "zeta.php"),
    ],
)
def test_imported_file_comes_first_whatever_its_name(language: str, importer: tuple[str, str], imported: str) -> None:
    path, text = importer
    unrelated = "between.txt"
    order = ordered((path, language, text), (unrelated, language, ""), (imported, language, ""))
    assert order.index(imported) < order.index(path)


def test_header_is_meant_by_its_name_and_not_the_source_beside_it() -> None:
    files = [("a.c", "C", '#include "b.h"\n'), ("b.c", "C", '#include "b.h"\n'), ("b.h", "C", "")]
    assert ordered(*files) == ["b.h", "a.c", "b.c"]


def test_of_several_files_of_a_name_the_nearest_is_meant() -> None:
    files = [
        ("one/app.py", "Python", "import zeta\n"),
        ("one/zeta.py", "Python", ""),
        ("two/zeta.py", "Python", ""),
    ]
    assert ordered(*files) == ["one/zeta.py", "one/app.py", "two/zeta.py"]


def test_circles_are_broken_by_path_and_ties_too() -> None:
    files = [
        ("c.py", "Python", "import a\n"),
        ("b.py", "Python", "import c\n"),
        ("a.py", "Python", "import b\n"),
        ("0.py", "Python", ""),
    ]
    assert ordered(*files) == ["0.py", "c.py", "b.py", "a.py"]
    assert ordered(*files[::-1]) == ["0.py", "c.py", "b.py", "a.py"]


def test_a_long_chain_of_imports_needs_no_stack() -> None:
    files = [(f"m{n:05}.py", "Python", f"import m{n + 1:05}\n") for n in range(5000)]
    assert ordered(*files)[0] == "m04999.py"


@given(
    edges=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30),
)
def test_order_holds_every_file_once_and_imports_first_where_there_is_no_circle(edges: list[tuple[int, int]]) -> None:
    down = [(a, b) for a, b in edges if a < b]  # no circle
    files = [Importing(f"f{n}.py", [f"f{b}" for a, b in down if a == n]) for n in range(10)]
    order = import_order(files)
    assert sorted(order) == list(range(10))
    assert all(order.index(b) < order.index(a) for a, b in down)
    round_about = [Importing(f"f{n}.py", [f"f{b}" for a, b in edges if a == n]) for n in range(10)]
    assert sorted(import_order(round_about)) == list(range(10))
