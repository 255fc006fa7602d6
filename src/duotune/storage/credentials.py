"""Where the keys of a location come from; never what they are."""

from __future__ import annotations

from collections.abc import Iterable


def only_in_environment(locations: Iterable[str]) -> bool:
    """Whether any of the locations is on S3 and its keys are variables of this process and nowhere else.

    Such keys end with the process that has them: they are passed to a child, but never written to a unit.
    """
    if not any(location.startswith("s3://") for location in locations):
        return False
    from botocore.session import Session

    found = Session().get_credentials()
    return found is not None and found.method == "env"
