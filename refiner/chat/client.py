"""A chat with an OpenAI-compatible server: its reply, or why there is none and whether another try may help.

What a server sends is hostile, and what is kept of it is bounded. People at a public page read the reasons, so these
show neither the server's address nor the key. Knows nothing of checks and verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from refiner.chat.completion import ChatReply, parse_completion
from refiner.domain import Message
from refiner.errors import ServiceError

if TYPE_CHECKING:
    from httpx2 import Response

TOP_LOGPROBS = 5
"""Alternatives asked for at each token: the most that `InferenceClient.chat_completion` says servers grant."""

NO_KEY = "EMPTY"
"""The key for a server that wants none."""

_MAX_WORDS_LENGTH = 200
_ADVICE = {
    401: "refused the key (401); set the {role}'s key to one that it accepts",
    402: "says that the account has no credit left (402); add some, or set another server",
    403: "does not let this key use the model (403); set another key, or another model",
    404: "knows no such model or address (404); check the {role}'s model and address",
    429: "is asked too much (429); wait a little, or lower the {role}'s concurrency",
}
_TRANSIENT = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class ChatFailure:
    """No reply: why; whether ``again`` may help, after ``wait`` seconds; ``lost`` if there was no connection.

    ``silent`` if the time ran out before the server had said a word.
    """

    reason: str
    again: bool = True
    wait: float = 0.0
    lost: bool = False
    silent: bool = False


class ChatClient:
    """A model on a server. ``logprobs`` is whether it takes a request for them; None until it took or refused one."""

    def __init__(
        self, model: str, base_url: str, api_key: str, timeout: float, max_tokens: int, *, role: str
    ) -> None:
        from huggingface_hub import InferenceClient  # noqa: PLC0415 - importing a judge stays instant

        _check(base_url, api_key, role)
        self.logprobs: bool | None = None
        self._model, self._timeout, self._max_tokens = model, timeout, max_tokens
        self._key, self._role = api_key, role
        # Given no key, the client would send this machine's Hugging Face token to whatever server is asked.
        self._client = InferenceClient(base_url=base_url or None, api_key=api_key or NO_KEY, timeout=timeout)

    def ask(self, chat: Sequence[Message]) -> ChatReply | ChatFailure:
        """The model's reply. A chat that is refused for its log-probabilities is asked again without, then and after."""
        asked = self.logprobs is not False
        try:
            body = self._complete(chat, logprobs=asked)
        except Exception as error:  # noqa: BLE001 - on a body that it did not expect the client breaks in any way
            if asked and _is_about_logprobs(error):
                self.logprobs = False
                return self.ask(chat)
            return self._failed(error)
        if self.logprobs is None:  # another thread may have been refused meanwhile
            self.logprobs = asked
        return parse_completion(body)

    def _complete(self, chat: Sequence[Message], *, logprobs: bool) -> object:
        # No response_format: servers that lack it refuse it, or pass over it. The prompt asks for the form.
        return self._client.chat_completion(
            [{"role": one.role, "content": _encodable(one.content)} for one in chat],
            model=self._model,
            temperature=0,
            max_tokens=self._max_tokens,
            logprobs=logprobs or None,
            top_logprobs=TOP_LOGPROBS if logprobs else None,
        )

    def _failed(self, error: Exception) -> ChatFailure:
        import httpx2  # noqa: PLC0415 - it comes with huggingface_hub, and is as heavy
        from huggingface_hub import errors  # noqa: PLC0415 - the same

        match error:
            case errors.HfHubHTTPError():
                return self._refused(error.response)
            case errors.InferenceTimeoutError():
                lost = isinstance(error.__cause__, httpx2.ConnectTimeout)
                return ChatFailure(
                    f"the {self._role}'s server did not answer within {self._timeout:g} seconds",
                    lost=lost,
                    silent=True,
                )
            case errors.OfflineModeIsEnabled():
                return ChatFailure(
                    f"HF_HUB_OFFLINE keeps the {self._role} from any server, even a local one", again=False
                )
            case httpx2.ConnectError():
                why = f"the {self._role}'s server cannot be reached ({self._words(str(error))})"
                return ChatFailure(f"{why}; check that it runs, and the {self._role}'s address", lost=True)
            case httpx2.HTTPError():
                return ChatFailure(f"the {self._role}'s server broke off ({type(error).__name__})")
        return ChatFailure(f"the {self._role}'s server sent what cannot be read ({type(error).__name__})")

    def _refused(self, response: "Response") -> ChatFailure:
        status, after = response.status_code, response.headers.get("retry-after", "")
        failed = "failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused the request"
        advice = (
            _ADVICE.get(status, "").format(role=self._role)
            or f"{failed} ({status}): {self._words(response.text)}"
        )
        again = status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        # Retry-After can be a date too; then the usual wait must do.
        return ChatFailure(
            f"the {self._role}'s server {advice}", again, float(after) if after.isdecimal() else 0.0
        )

    def _words(self, text: str) -> str:
        """A server's own words, on one line, short, and without the key, which some servers repeat."""
        text = text.replace(self._key, "…") if self._key else text
        return " ".join(text.split())[:_MAX_WORDS_LENGTH]


def _check(base_url: str, api_key: str, role: str) -> None:
    try:
        parts = urlsplit(base_url)
        usable = not base_url or (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        )
    except ValueError:
        usable = False
    if not usable:
        raise ServiceError(f"The {role}'s address must be a URL that begins with http:// or https://.")
    if not base_url and not api_key.startswith("hf_"):
        raise ServiceError(
            f"Hugging Face's Inference Providers need a token that begins with hf_: set it as the {role}'s key. "
            f"For another server, set the {role}'s address."
        )


def _is_about_logprobs(error: Exception) -> bool:
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415 - heavy

    if not isinstance(error, HfHubHTTPError):
        return False
    return error.response.is_client_error and "logprobs" in error.response.text.casefold()


def _encodable(text: str) -> str:
    """Half a surrogate pair, which a pasted text can carry, has no UTF-8 and would break the request."""
    return text.encode("utf-8", "replace").decode()
