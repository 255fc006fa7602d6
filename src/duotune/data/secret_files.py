"""Key and credential files, by name."""

from __future__ import annotations

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
        "id_ecdsa_sk",
        "id_ed25519_sk",
        ".vault-token",
        ".vault_pass",
        "pgpass.conf",
        "htpasswd",
        "credentials.json",
        "client_secret.json",
        "application_default_credentials.json",
        "local.settings.json",
        ".dockerconfigjson",
        "secring.gpg",
    ]
)
_IN_DIRECTORIES = frozenset(
    [".docker/config.json", ".kube/config", ".aws/config", ".gem/credentials", ".cargo/credentials.toml"]
)
_EXTENSIONS = (
    *(
        ".pem",
        ".key",
        ".p8",
        ".p12",
        ".pfx",
        ".pkcs12",
        ".jks",
        ".jceks",
        ".bks",
        ".keystore",
        ".truststore",
        ".keytab",
    ),
    *(".kdb", ".kdbx", ".ppk", ".agekey", ".ovpn", ".gpg", ".mobileprovision", ".tfstate", ".tfstate.backup"),
)
_ENVIRONMENT_EXAMPLES = (".example", ".sample", ".template", ".dist")


def is_secret_path(path: str) -> bool:
    """Whether a file of this name holds credentials whatever its content."""
    *directories, name = path.lower().rsplit("/", 2)
    if directories and f"{directories[-1]}/{name}" in _IN_DIRECTORIES:
        return True
    if name == ".env" or (name.startswith(".env.") and not name.endswith(_ENVIRONMENT_EXAMPLES)):
        return True
    return name in _NAMES or name.endswith(_EXTENSIONS)
