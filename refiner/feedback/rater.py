"""Pseudonyms of raters: a keyed hash of the name or the browser's id.

The same person always gets the same hash. Without the key nobody can compute it.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from refiner.errors import StoreError
from refiner.settings import MIN_SECRET_LENGTH, Settings

KEY_FILE_NAME = "rater.key"
RATER_ID_DIGITS = 32


def rater_id(key: bytes, *, name: str = "", browser: str = "") -> str:
    """Returns 32 hex digits for the signed-in name, else for the browser's id.

    Returns "" if there is neither.

    The hash is a shortened HMAC-SHA256. It covers the kind too, so a browser that sends somebody's name as
    its id does not get that person's hash. Nothing else identifies a rater. In particular, no network address
    does.
    """
    if not name and not browser:
        return ""
    identity = f"name:{name}" if name else f"browser:{browser}"
    digest = hmac.new(key, identity.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return digest.hexdigest()[:RATER_ID_DIGITS]


def rater_key(settings: Settings) -> bytes:
    """Returns the key from the settings, else the key from the file in the cache folder.

    The first use makes the file, readable by its owner only. Raises `StoreError` if the file can be neither
    read nor made, or holds too short a key.
    """
    if settings.rater_key:
        return settings.rater_key.encode()
    file = settings.cache_dir.expanduser() / KEY_FILE_NAME
    try:
        if not file.exists():
            _make_key_file(file)
        key = file.read_bytes()
    except OSError as error:
        raise _key_error(str(error)) from error
    if len(key) < MIN_SECRET_LENGTH:
        raise _key_error(f"{file} does not hold a whole key")
    return key


def _key_error(reason: str) -> StoreError:
    return StoreError(
        f"The key for raters' ids could not be read or made: {reason}. "
        "Set REFINER_RATER_KEY to a long random text."
    )


def _make_key_file(file: Path) -> None:
    """Makes the file in one step, so that no reader sees half a key. The first of several processes wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent) as draft:  # mode 0600
        draft.write(secrets.token_hex(32).encode())
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, file)
        except FileExistsError:
            return
