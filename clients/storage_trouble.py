"""What is wrong with a storage, in words without the addresses and credentials in obstore's own."""

import errno
import os
import re
from typing import Final

_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")
_STATUS: Final = re.compile(r"status code: (\d{3})")
_S3_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
_WORDS: Final = {
    "kind: Timeout": "it did not answer in time",
    "kind: Connect": "nobody answers at its address",
    "inner: BareRedirect": "it is in another region",
    "NoSuchBucket": "there is no such bucket",
}


def trouble_of(error: Exception) -> str:
    said = str(error)
    number = _os_error(error, said)
    if number is not None:
        return "the disk is full" if number == errno.ENOSPC else os.strerror(number)
    known = next((words for sign, words in _WORDS.items() if sign in said), "")
    return known or _answered(said) or type(error).__name__


def is_without_bucket(error: FileNotFoundError) -> bool:
    """What is missing is not the key."""
    return "NoSuchBucket" in str(error)


def _os_error(error: Exception, said: str) -> int | None:
    if isinstance(error, OSError) and error.errno:
        return error.errno
    return next((int(each) for each in _OS_ERROR.findall(said)), None)


def _answered(said: str) -> str:
    """A status, and S3's own word for it: `403 InvalidAccessKeyId`."""
    found = [match[1] for match in (_STATUS.search(said), _S3_CODE.search(said)) if match]
    return f"it answered {' '.join(found)}" if found else ""
