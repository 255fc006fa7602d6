"""What S3 and the way to it answer, as sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from duotune.errors import StorageError, printable

_KEYS = "Check AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE or the AWS_* variables."


@contextmanager
def translated(bucket: str, location: str) -> Iterator[None]:
    """Turn every failure inside into a StorageError that names its cause.

    Raises:
        StorageError: One sentence per cause.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refused(error, bucket, location) from error
    except (BotoCoreError, Boto3Error) as error:
        raise _unreached(error, location) from error
    except OSError as error:
        raise _disk(error) from error


def _refused(error: Any, bucket: str, location: str) -> StorageError:
    """What the server answered."""
    answer = error.response.get("Error", {})
    code, where = str(answer.get("Code", "")), printable(location)
    match code:
        case "NoSuchBucket":
            return StorageError(f"There is no S3 bucket {printable(bucket)!r}.", "Create it, or correct the location.")
        case "AccessDenied" | "403" | "AllAccessDisabled":
            return StorageError(f"S3 denies access to {where}.", "Let the keys read, write and delete there.")
        case "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken":
            return StorageError(f"S3 does not accept the keys for {where} ({code}).", _KEYS)
        case "QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage" | "507":
            return StorageError(f"S3 has no space left for {where}.", "Free some, or choose another location.")
        case "InvalidBucketName":
            return StorageError(f"{printable(bucket)!r} is no valid S3 bucket name.", "Correct the location.")
    message = printable(str(answer.get("Message", "")))
    return StorageError(f"S3 refused {where}: {code} {message}".rstrip() + ".", "Check the server and its log.")


def _unreached(error: Exception, location: str) -> StorageError:
    """What went wrong on the way to the server."""
    from botocore import exceptions as bc

    where = printable(location)
    if isinstance(error, bc.NoCredentialsError | bc.PartialCredentialsError | bc.CredentialRetrievalError):
        return StorageError(f"There are no S3 credentials for {where}.", _KEYS)
    if isinstance(error, bc.ProfileNotFound):
        return StorageError(f"{printable(str(error))}.", "Correct AWS_PROFILE or add the profile.")
    if isinstance(error, bc.SSLError):
        return StorageError(
            f"The S3 endpoint of {where} has a certificate that is not trusted here: {printable(str(error))}.",
            "Set AWS_CA_BUNDLE to the file with your authority's certificate.",
        )
    if isinstance(error, bc.ParamValidationError):
        return StorageError(f"{where} is no valid S3 location.", "Correct the bucket's name.")
    if isinstance(error, bc.HTTPClientError | bc.ConnectionError | bc.EndpointConnectionError):
        return StorageError(
            f"The S3 endpoint of {where} does not answer: {printable(str(error))}.",
            "Check AWS_ENDPOINT_URL and that the server runs.",
        )
    return StorageError(f"S3 cannot be used for {where}: {printable(str(error))}.", "Check the server and the keys.")


def _disk(error: OSError) -> StorageError:
    """What the local disk refused in a transfer."""
    file = printable(error.filename2 or error.filename or "the local copy")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(f"No space is left on the local disk for {file}.", "Free some, then try again.")
    return StorageError(f"{file} cannot be used: {error.strerror}.", "Check its owner and its disk.")
