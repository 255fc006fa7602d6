# ruff: noqa: E501
"""Which files are other people's code, copied into the project; and which only look like it, and are kept.

Source of the facts: github-linguist, `lib/linguist/vendor.yml` and `documentation.yml` (MIT, commit b45dbe9). Those lists
keep statistics tidy, so they also name what a company writes itself (`tools/`, `cache/`, `extern/`, `*.d.ts`,
`Jenkinsfile`). Here only the certain ones rule a file out; the others are shown to the admin, who may exclude them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIRECTORIES = frozenset(
    [
        "node_modules",
        "bower_components",
        "jspm_packages",
        "xvba_modules",
        "flow-typed",
        "_vendor",
        "Pods",
        "Carthage",
        "Godeps",
        "site-packages",
        "dist-packages",
        ".venv",
        ".tox",
        ".nox",
        ".yarn",
        "_esy",
        ".pnp",
        "__pypackages__",
        "elm-stuff",
        "ace-builds",
        "MathJax",
        "extjs",
        "tiny_mce",
        "bootstrap-datepicker",
        "puphpet",
        ".google_apis",
    ]
)
_THIRD_PARTY = re.compile(r"(?:3rd|third)[-_]?party", re.IGNORECASE)
# A library's bare name (`react.js`, `Chart.js`) is as often the project's own file about it; with a version it is not.
_FILES = re.compile(
    r"(?:[.-]min\.(?:js|mjs|cjs|css)|\.bundle\.js|-vsdoc\.js|\.intellisense\.js"
    r"|^(?:jquery|bootstrap|angular|react|react-dom|vue|d3|lodash|underscore|backbone|moment|modernizr|prototype|mootools"
    r"|knockout|ember|handlebars|require|three|leaflet|foundation|materialize|normalize|font-?awesome|select2|cordova)"
    r"[.-]v?\d[\w.-]*\.(?:js|css)"
    r"|^jquery(?:[.-](?:ui|effects|validate|unobtrusive|fancybox|fileupload|dataTables|fn\.gantt|migrate|mobile)[\w.-]*)?\.js"
    r"|^(?:jquery-ui|bootstrap|bootstrap-theme|font-?awesome|bulma|materialize)\.css|^bootstrap\.bundle\.js"
    r"|^(?:modernizr\.custom\.\d+|html5shiv|ckeditor|tiny_mce\w*|MochiKit|pdf\.worker|shCore|shLegacy|shBrush\w+)\.js"
    r"|^[Mm]icrosoft(?:[Mm]vc)?(?:[Aa]jax|[Vv]alidation)(?:\.debug)?\.js"
    r"|^(?:config\.(?:guess|sub)|(?:aclocal|libtool|lt(?:options|sugar|version|~obsolete))\.m4|ltmain\.sh|install-sh|depcomp"
    r"|erlang\.mk|cpplint\.py|dotnet-install\.(?:ps1|sh)|ez_setup\.py|get-pip\.py|versioneer\.py|sqlite3(?:ext)?\.[ch]"
    r"|gradlew(?:\.bat)?|mvnw(?:\.cmd)?|\.pnp\.c?js))$"
)
# Above files of these names a `vendor` directory is a package manager's; elsewhere it may be about suppliers.
_MANIFESTS = frozenset(
    ["composer.json", "go.mod", "go.work", "Gemfile", "Cargo.toml", "package.json", "bower.json", "Gopkg.toml"]
)
_VENDOR = frozenset({"vendor", "vendors", "Vendor"})
_ASSETS = frozenset(["assets", "static", "public", "js", "css", "javascripts", "stylesheets", "wwwroot", "www"])
_DOMAIN = re.compile(r"^(?:[0-9A-Za-z][-0-9A-Za-z]*\.)+(?:com|edu|gov|in|me|net|org|fm|io|dev|sh)$")
_NUGET = re.compile(r"(?:^|/)[Pp]ackages/[^/]+\.\d+\.\d+(?:\.\d+)*/")

# Rule as an exclude glob | expression.
_GREEDY = r"""
dist/ | (?:^|/)dist/
cache/ | (?:^|/)cache/
deps/ | ^(?:deps|[Dd]ependencies)/
extern/ | (?:^|/)[Ee]xtern(?:als?)?/
vendor/ | (?:^|/)[Vv]endors?/
tools/ | ^tools/
env/ | (?:^|/)env/
debian/ | ^debian/
testdata/ | (?:^|/)testdata/
tests/fixtures/ | (?:^|/)(?:[Tt]ests?|[Ss]pecs?)/fixtures/
docs/ | ^[Dd]ocs?/
documentation/ | (?:^|/)(?:[Dd]ocumentation|[Gg]roovydoc|[Jj]avadoc)/
examples/ | ^[Ee]xamples?/
demo/ | ^[Dd]emos?/
samples/ | ^[Ss]amples?/
.github/ | (?:^|/)\.github/
*.d.ts | \.d\.ts$
Jenkinsfile | (?:^|/)Jenkinsfile$
Vagrantfile | (?:^|/)Vagrantfile$
configure | (?:^|/)configure$
fabfile.py | (?:^|/)fabfile\.py$
"""
_RULES = [line.split(" | ") for line in _GREEDY.strip().splitlines()]
_LOOKS = re.compile("|".join(f"(?P<g{number}>{expression})" for number, (_, expression) in enumerate(_RULES)))


class Vendored:
    """The certain rules, for one project.

    Args:
        paths: Paths of its files: a `vendor` directory beside a package manager's manifest is that manager's.
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._managed = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] in _MANIFESTS}

    def rule(self, path: str) -> str:
        """The rule by which a path is that of vendored code; empty when there is none.

        Args:
            path: With forward slashes, relative to the project.
        """
        *directories, name = path.split("/")
        for directory in directories:
            if directory in _DIRECTORIES or _THIRD_PARTY.fullmatch(directory):
                return f"directory: {directory}/"
        if not _VENDOR.isdisjoint(directories) and self._is_managed(directories):
            return "directory: vendor/"
        if _NUGET.search(path):
            return "directory: NuGet packages/"
        return "file name of a library" if _FILES.search(name) else ""

    def _is_managed(self, directories: list[str]) -> bool:
        for depth, directory in enumerate(directories):
            if directory not in _VENDOR:
                continue
            before, after = directories[:depth], directories[depth + 1 :]
            if not before or "/".join(before) in self._managed or before[-1] in _ASSETS:
                return True
            if after and _DOMAIN.match(after[0]):
                return True
        return False


def looks_vendored(path: str) -> str:
    """The greedy rule that a path falls under, as a glob to exclude it by; empty when there is none."""
    match = _LOOKS.search(path)
    return _RULES[int(match.lastgroup[1:])][0] if match and match.lastgroup else ""
