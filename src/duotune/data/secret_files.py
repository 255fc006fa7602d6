"""Key and credential files, by name and by the few contents that leave no doubt."""

from __future__ import annotations

import re

_NAMES = frozenset(
    [
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        ".netrc",
        "_netrc",
        ".pgpass",
        ".my.cnf",
        ".npmrc",
        ".pypirc",
        ".htpasswd",
        ".dockercfg",
        ".git-credentials",
        "kubeconfig",
        "credentials",
        ".boto",
        ".s3cfg",
        "master.key",
        "secrets.yml",
        "secrets.yaml",
        "terraform.tfstate",
    ]
)
_EXTENSIONS = (".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".tfstate")
_ENVIRONMENT_EXAMPLES = (".example", ".sample", ".template", ".dist")

# A header alone is what a program that parses keys holds; a key has its base64 right behind it.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\r|\\n|\\|[\s\"'+,]|[\w-]+: .*\n)*[A-Za-z0-9+/=]{40}"
)
_TOKENS = re.compile(
    r"\b(?:glpat-[\w-]{20}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60}|AKIA(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}"
    r"|xox[abprs]-\d{8,}-[\w-]{10,}|sk_live_[0-9a-zA-Z]{24})"
)
_GATES = ("PRIVATE KEY", "glpat-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "AKIA", "xox", "sk_live_")


def is_secret_path(path: str) -> bool:
    """Whether a file of this name holds credentials whatever its content."""
    name = path.rsplit("/", 1)[-1].lower()
    if name == ".env" or (name.startswith(".env.") and not name.endswith(_ENVIRONMENT_EXAMPLES)):
        return True
    return name in _NAMES or name.endswith(_EXTENSIONS)


def holds_secret(text: str) -> bool:
    """Whether a text holds a private key block or a token whose form identifies its issuer.

    The gates are plain substring tests: they keep the regular expressions away from nearly every file.
    """
    if not any(gate in text for gate in _GATES):
        return False
    return _PRIVATE_KEY.search(text) is not None or _TOKENS.search(text) is not None
