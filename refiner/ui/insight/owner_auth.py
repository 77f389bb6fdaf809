"""Checks who is an owner: whoever knows the token, and owners who are signed in. Knows no votes."""

import hashlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from refiner.errors import InputError

MAX_WRONG_TOKENS = 5
"""Wrong tokens within `LOCKOUT_SECONDS`, from all visitors together. Then even the right one is refused."""
LOCKOUT_SECONDS = 60.0
TOKEN_FIELD_ID = "owner-token"  # noqa: S105 - an element's id


class OwnerAuth:
    """Checks who is an owner. Without ``token`` and ``owners`` nobody is. Safe to use from threads.

    ``owners`` are usernames on the Hub, in any case. ``clock`` returns seconds.
    """

    def __init__(
        self, token: str, owners: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token_digest = _digest(token) if token else None
        self._owners = {name.casefold() for name in owners}
        self._clock = clock
        self._wrong_times: deque[float] = deque()
        self._lock = threading.Lock()

    def check(self, token: str, username: str = "") -> None:
        """Return if the token is right or the signed-in user is an owner. Else `InputError` says why not."""
        if username and username.casefold() in self._owners:
            return
        if not token or self._token_digest is None:
            who = f"{username} is not among the owners. " if username else ""
            how = "Type the owner’s token" if self._token_digest else "Sign in as an owner"
            raise InputError(f"{who}{how}, then try again.", TOKEN_FIELD_ID)
        with self._lock:
            now = self._clock()
            while self._wrong_times and now - self._wrong_times[0] >= LOCKOUT_SECONDS:
                self._wrong_times.popleft()
            if len(self._wrong_times) >= MAX_WRONG_TOKENS:
                raise InputError("Too many wrong tokens. Wait a minute, then try again.", TOKEN_FIELD_ID)
            if not hmac.compare_digest(_digest(token), self._token_digest):
                self._wrong_times.append(now)
                raise InputError("That is not the token. Check it, then try again.", TOKEN_FIELD_ID)


def _digest(token: str) -> bytes:
    """Hash to a fixed length, so that the time to compare tells nothing about the token."""
    return hashlib.sha256(token.strip().encode("utf-8", "surrogatepass")).digest()
