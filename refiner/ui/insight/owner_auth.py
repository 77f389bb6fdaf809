"""Who may see the votes: whoever knows the owner's token, and owners who are signed in. Knows neither votes nor page."""

import hashlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from refiner.errors import InputError

TRIES = 5
"""Wrong tokens in a `MINUTE`, whoever gave them, after which none is looked at, not even the right one."""
MINUTE = 60.0
FIELD = "owner-token"


class Door:
    """Lets owners in. Without ``token`` and ``owners`` it is closed to all. Safe to use from threads."""

    def __init__(
        self, token: str, owners: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token = _digest(token) if token else None
        self._owners = {name.casefold() for name in owners}
        self._clock = clock
        self._wrong: deque[float] = deque()
        self._lock = threading.Lock()

    def enter(self, token: str, name: str = "") -> None:
        """Return where the token is right or the signed-in ``name`` an owner's; else `InputError` says what is not."""
        if name and name.casefold() in self._owners:
            return
        if not token or self._token is None:
            who = f"{name} is not among the owners. " if name else ""
            how = "Type the owner’s token" if self._token else "Sign in as an owner"
            raise InputError(f"{who}{how}, then try again.", FIELD)
        with self._lock:
            now = self._clock()
            while self._wrong and now - self._wrong[0] >= MINUTE:
                self._wrong.popleft()
            if len(self._wrong) >= TRIES:
                raise InputError("Too many wrong tokens. Wait a minute, then try again.", FIELD)
            if not hmac.compare_digest(_digest(token), self._token):
                self._wrong.append(now)
                raise InputError("That is not the token. Check it, then try again.", FIELD)


def _digest(token: str) -> bytes:
    """Of one length whatever was given, so that comparing tells nothing of the token's."""
    return hashlib.sha256(token.strip().encode("utf-8", "surrogatepass")).digest()
