"""Who rated, without a name: a keyed hash, the same for the same person, of no use to anyone without the key."""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from refiner.errors import StoreError
from refiner.settings import MIN_SECRET_LENGTH, Settings

FILE = "rater.key"
DIGITS = 32


def rater_id(key: bytes, *, name: str = "", browser: str = "") -> str:
    """32 hex digits for the signed-in name, else for the browser's id; empty where there is neither.

    HMAC-SHA256, shortened. The kind is hashed too: what a browser calls itself never makes it somebody signed in.
    There is no third kind; an address of the network least of all.
    """
    if not name and not browser:
        return ""
    said = f"name:{name}" if name else f"browser:{browser}"
    return hmac.new(key, said.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:DIGITS]


def key_of(settings: Settings) -> bytes:
    """The settings' key, else the one in the cache folder, made at first use and readable for its owner only.

    `StoreError` where it can neither be read nor made.
    """
    if settings.rater_key:
        return settings.rater_key.encode()
    file = settings.cache_dir.expanduser() / FILE
    try:
        if not file.exists():
            _make(file)
        key = file.read_bytes()
    except OSError as error:
        raise _failure(str(error)) from error
    if len(key) < MIN_SECRET_LENGTH:
        raise _failure(f"{file} does not hold it")
    return key


def _failure(reason: str) -> StoreError:
    return StoreError(
        f"The key of raters' ids could not be kept: {reason}. Set REFINER_RATER_KEY to a long random text."
    )


def _make(file: Path) -> None:
    """Whole from its first moment, and only one where several processes make it at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent) as draft:  # mode 0600
        draft.write(secrets.token_hex(32).encode())
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, file)
        except FileExistsError:
            return
