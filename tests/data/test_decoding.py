"""Which encodings are believed: UTF-8, marks, Windows-1252 where it looks like it, and others with evidence alone."""

from __future__ import annotations

import pytest

from duotune.data.decoding import Decoded, decode
from duotune.data.reasons import Reason, Rejection

CODE = "def add(one, other):\n    return one + other  # some comment\n" * 20


@pytest.mark.parametrize(
    ("comment", "encoding"),
    [
        ("# Größe nach Müller, © 2001", "cp1252"),
        ("# déjà créée à la carte: « l'ouvrage » coûte 5 F", "latin-1"),
        ("# déjà créée à la carte: « l’œuvre » coûte 5 €", "cp1252"),
        ("# ¿Qué año? 20 °C ± 3 µm² — «así»… ———", "cp1252"),
        ("# Zażółć gęślą jaźń, łódź i żółw, źdźbło trawy", "cp1250"),
        ("# это комментарий о том, как работает функция", "cp1251"),
        ("# это комментарий о том, как работает функция", "koi8_r"),
        ("# 这个函数把两个数相加并返回结果。", "gb18030"),
        ("# この関数は二つの数を足します。", "cp932"),
        ("# 이 함수는 두 숫자를 더합니다.", "cp949"),
        ("# この関数は二つの数を足します。", "utf-16"),
    ],
)
def test_comments_of_the_world_are_read_as_they_were_written(comment: str, encoding: str) -> None:
    text = f"{CODE}{comment}\n"
    found = decode(text.replace("\n", "\r\n").encode(encoding))
    assert isinstance(found, Decoded)
    assert found.text == text
    assert found.recoded == {"latin-1": "cp1252", "utf-16": ""}.get(encoding, encoding)


@pytest.mark.parametrize(
    "bad",
    [
        bytes((0xFF, 0xFE, 0xFA, 0x80, 0x81, 0x90)),
        bytes((0xE9, 0xE8, 0xEA, 0xF4, 0xFB, 0xE0)),
        b" \x82 \x83 \x88 \x98 \xff \xfe",
        b"Gr\x94\xe1e",  # a word of DOS
        b"caf\x8e",  # a word of the Macintosh
        "ключ".encode("cp1251"),
        "鍵".encode("euc_jp") * 3,
        bytes(range(128, 256)),
    ],
)
def test_a_handful_of_bytes_that_are_no_text_are_no_evidence_of_an_encoding(bad: bytes) -> None:
    content = f"{CODE}name = '".encode() + bad + b"'\n"
    first = next(at for at, byte in enumerate(content) if byte > 127)
    found = decode(content)
    assert isinstance(found, Rejection)
    assert (found.reason, found.detail) == (Reason.ENCODING, f"not utf-8 at byte {first:,}")
