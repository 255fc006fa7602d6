"""Where the keys of a location come from; never what they are."""

from __future__ import annotations

from collections.abc import Iterable

from duotune.errors import printable


def only_in_environment(locations: Iterable[str]) -> bool:
    """Whether any of the locations is on S3 and its keys are variables of this process and nowhere else.

    Such keys end with the process that has them: they are passed to a child, but never written to a unit.
    """
    if not any(location.startswith("s3://") for location in locations):
        return False
    from botocore.session import Session

    found = Session().get_credentials()
    return found is not None and found.method == "env"


_METHODS = {
    "env": "AWS_ variables of this shell; a detached run cannot have them",
    "shared-credentials-file": "the AWS credentials file",
    "config-file": "the AWS configuration file",
}


def keys_found() -> str:
    """Where S3 keys are found for this process, in words, never what they are; empty where there are none."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        session = Session()
        found = session.get_credentials()
    except BotoCoreError as error:
        return printable(str(error))
    if found is None:
        return ""
    profile = f", profile {printable(session.profile)}" if session.profile and found.method != "env" else ""
    return f"found in {_METHODS.get(str(found.method), str(found.method))}{profile}."
