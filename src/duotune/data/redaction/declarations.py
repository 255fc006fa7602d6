"""What stands between a name and its string in the languages of a code base: types, operators, quotes."""

from __future__ import annotations

import re

_QUOTED_NAMES_END = r"\\?[\"'`]?\]?\)?"
# Types as in `password: str = "…"`, `P: &'static str = "…"`, `password[32] = "…"`, `Password string = "…"` and
# `Password { get; set; } = "…"`. A comma belongs to a type only between its brackets.
_TYPE = (
    r"(?:\[\w{0,20}\])?"
    r"(?:[!?]?\s{0,4}:\s{0,2}[A-Za-z&*(\[](?:[\w&'*|.? \])]|::|[<\[(][\w&'*|.?,;: ]{0,30}+[>\])]){0,40}+(?=\s{0,4}=)"
    r"|[ \t]{1,4}(?:As[ \t])?\*?(?:[sS]tring|\[\]byte|(?:var)?char)(?=[ \t]{1,4}=)"
    r"|\s{0,4}\{\s?get;[^}\n\"]{0,40}\})?"
)
# No operator at all where a directive or an option gives the value: `#define PASSWORD "…"`.
_OPERATOR = (
    r"\s{0,20}(?P<operator>=>|:=|\?=|\+=|={1,3}|!==?|::?|,|\|\||\?\?|\?:|<{1,2}-|\((?!\))|(?<=\s)or(?=\s)"
    r"|\{(?=\s?[LuU]?\")|\.(?:unwrap_or(?:_else)?|or_?[eE]lse|getOrElse)\((?:\|_?\|)?"
    r"|(?<=[ \t])(?=[@LuU]?[\"']))\s{0,20}"
)
# What is taken where there is another value, and what makes a string of a string.
_FALLBACK = r"(?:[\w.$()\[\]'\"-]{1,60}+[ \t]{1,4}(?:or|\|\||\?\?|\?:)[ \t]{1,4})??"
_MADE_OF = (
    r"(?:(?:new )?(?:\w{1,20}(?:::|\.))?(?:Some|String|string|string_view|str|SecretString|SecretStr|Optional)"
    r"(?:::from|::new|\.of)?\(\s{0,20}){0,2}"
)
_PREFIX = r"[bBfFuUrRL@$*]{0,2}#?"
_QUOTE = r"(?P<quote>\\?(?:\"\"\"|'''|[\"'`]))"
# A parenthesis may hold the value on a line of its own; a value may hold other quotes, and its own after a backslash.
_QUOTED = (
    r"(?:\((?=[ \t]{0,8}\n)\s{0,40})?" + _PREFIX + _QUOTE + r"(?P<quoted>(?:(?!(?P=quote))(?:\\[^\n]|[^\n\\])){4,200}+)"
    r"(?P=quote)"
)
AFTER_STEM = re.compile(
    r"(?P<tail>[\w-]{0,40}+)" + _QUOTED_NAMES_END + _TYPE + _OPERATOR + _FALLBACK + _MADE_OF + _QUOTED
)
"""From the letters of a name that say `secret` to the end of its string."""

BEFORE_RUN = re.compile(
    r"(?<![\w.$-])(?P<name>[\w.$-]{2,64}+)"
    + _QUOTED_NAMES_END
    + _TYPE
    + _OPERATOR
    + _FALLBACK
    + _MADE_OF
    + f"(?:{_PREFIX}{_QUOTE})?"
    + r"(?P<head>[^\s\"'`<>{}\[\]|;,()=:]{0,16})$"
)
"""A name and what stands between it and the long run at the end of the searched text."""

_GIVES_NEXT = re.compile(r"(?:#[ \t]{0,8}define|\bset[qx]?|\bsetenv|\bdef\w{0,12}|\s-g?x)[ \t]{1,8}$|(?<![\w:]):$")
_CALLS = frozenset("({")
_BRACES = frozenset(["C", "C++", "Objective-C", "Objective-C++", "CUDA", "Arduino"])


def may_give(match: re.Match[str], name: str, before: str, listed: bool, language: str) -> bool:
    """Whether what stands between a name and a string makes the string the value of the name.

    Args:
        match: Of one of this module's patterns.
        name: The name.
        before: The line before the name.
        listed: Whether a comma may stand between this name and its value.
        language: Of the text.
    """
    operator = match["operator"]
    if operator == "":
        return name.startswith("-") or _GIVES_NEXT.search(before) is not None
    if operator == "{":
        return language in _BRACES
    if operator == "(":
        return match.string[match.start("operator") - 1] != " " and not before.endswith("@")
    return operator != "," or listed
