"""Recall and precision of the secret scanner on the planted corpus of the tests, findings and speed on real code.

    python benchmarks/redaction.py [FOLDER ...] [--sample N] [--rule NAME] [--seed N]

Without a folder it reads the running interpreter's standard library and site-packages. `--sample` prints N findings of
secrets (or of one rule) with rule, path:line and the line, the value masked but for its first 3 characters, for a
person to judge. Ends with one JSON line: findings per MB by rule, MB per CPU-second of one core, recall over 40 secrets
of each planted type, and precision: how much of what is found in one line of each type and in all look-alikes is
planted. (Both were written beside the rules; the sample of real code is the independent look.)
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from duotune.data.decoding import Decoded, decode
from duotune.data.languages import detect
from duotune.data.redaction.finding import Finding, redact
from duotune.data.redaction.scan import scan
from duotune.errors import printable

MAX_FILE_BYTES = 1_000_000
MAX_SHOWN = 160
SEEDS = 40


@dataclass(frozen=True)
class Scanned:
    """A file and its findings."""

    path: str
    text: str
    findings: list[Finding]


def main() -> None:
    """Scan, print tables and the JSON line."""
    arguments = _arguments()
    files = list(_files([Path(folder) for folder in arguments.folders or _default_folders()], arguments.language))
    megabytes = sum(size for *_, size in files) / 1e6
    started = time.process_time()
    scanned = [Scanned(path, text, scan(text, language)) for path, text, language, _ in files]
    seconds = time.process_time() - started
    clean = [(text, language) for (_, text, language, _), one in zip(files, scanned, strict=True) if not one.findings]
    started = time.process_time()
    for text, language in clean:
        scan(text, language)
    clean_rate = sum(len(text.encode()) for text, _ in clean) / 1e6 / (time.process_time() - started)
    kinds = Counter(finding.kind for one in scanned for finding in one.findings)
    rules = Counter(finding.rule for one in scanned for finding in one.findings)
    _show_sample(scanned, arguments.sample, arguments.rule, arguments.seed)
    print(f"{len(files)} files, {megabytes:.1f} MB")
    for rule, count in rules.most_common():
        print(f"  {rule:34} {count:6}  {count / megabytes:8.3f} per MB")
    recall, letters, precision = _on_the_corpus()
    print(f"planted secrets: recall {recall:.4f}, of letters only {letters:.4f}, precision {precision:.4f}")
    result = {
        "recall": round(recall, 4),
        "recall_of_letters": round(letters, 4),
        "precision": round(precision, 4),
        "files": len(files),
        "mb": round(megabytes, 1),
        "mb_per_core_second": round(megabytes / seconds, 1),
        "clean_mb_per_core_second": round(clean_rate, 1),
        "secrets_per_mb": round(kinds["secret"] / megabytes, 3),
        "personal_per_mb": round(kinds["personal"] / megabytes, 3),
        "files_with_secrets": sum(any(f.kind == "secret" for f in one.findings) for one in scanned),
        "per_mb": {rule: round(count / megabytes, 3) for rule, count in rules.most_common()},
    }
    print(json.dumps(result))


def _on_the_corpus() -> tuple[float, float, float]:
    """Recall, recall of letters only, and precision on what the tests plant, and on what only looks like it."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.declared import jumbled
    from support.look_alikes import LOOK_ALIKES
    from support.planted import planted
    from support.planting import Planted

    def gone(secrets: list[Planted]) -> list[bool]:
        return [one.secret not in redact(one.line, scan(one.line, one.language)) for one in secrets]

    usual = [one for seed in range(SEEDS) for one in planted(seed)]
    letters = [one for seed in range(SEEDS) for one in jumbled(seed)]
    found, found_letters = gone(usual), gone(letters)
    print("  recall by language, with digits and of letters only:")
    for language in sorted({one.language for one in usual}):
        rates = []
        for secrets, hits in ((usual, found), (letters, found_letters)):
            many = [hit for one, hit in zip(secrets, hits, strict=True) if one.language == language]
            rates.append(f"{sum(many) / len(many):8.3f}" if many else "       -")
        print(f"  {language:34}{''.join(rates)}")
    first = found[: len(planted())]
    wrong = sum(bool(scan(line, language)) for line, language in LOOK_ALIKES)
    return sum(found) / len(found), sum(found_letters) / len(found_letters), sum(first) / (sum(first) + wrong)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--rule", default="")
    parser.add_argument("--language", default="", help="Only files of this language.")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _default_folders() -> list[str]:
    paths = sysconfig.get_paths()
    return list(dict.fromkeys([paths["stdlib"], paths["purelib"]]))


def _files(folders: list[Path], only: str) -> Iterator[tuple[str, str, str, int]]:
    """Path, text, language and bytes of every file of a known language, once."""
    seen: set[Path] = set()
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if not file.is_file() or file.is_symlink() or file.stat().st_size > MAX_FILE_BYTES or file in seen:
                continue
            seen.add(file)
            content = file.read_bytes()
            decoded = decode(content)
            language = detect(file.name, decoded.text) if isinstance(decoded, Decoded) else None
            if isinstance(decoded, Decoded) and language is not None and only in ("", language.name):
                yield str(file.relative_to(folder)), decoded.text, language.name, len(content)


def _show_sample(scanned: list[Scanned], count: int, rule: str, seed: int) -> None:
    found = [(one, f) for one in scanned for f in one.findings if (f.rule == rule if rule else f.kind == "secret")]
    for one, finding in random.Random(seed).sample(found, min(count, len(found))):
        start = one.text.rfind("\n", 0, finding.start) + 1
        end = one.text.find("\n", finding.end)
        end = end if end >= 0 else len(one.text)
        value = one.text[finding.start : finding.end]
        masked = value[:3] + "*" * min(40, len(value) - 3)
        line = one.text[start : finding.start] + masked + one.text[finding.end : end]
        print(f"{finding.rule:24} {printable(one.path)}:{finding.line}\n    {printable(line.strip()[:MAX_SHOWN])}")


if __name__ == "__main__":
    main()
