"""Reads the environment, and is the only module that does: variables in, one frozen value out."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from refiner.domain import MAX_NEW_TOKENS, MIN_NEW_TOKENS, Form, Mix
from refiner.errors import InputError

REFINER_MODEL = "lihaoxin2020/qwen3-4B-refiner-rubric-rl-step50"
JUDGE_MODEL = "Qwen/Qwen3.5-35B-A3B"
"""The hosted judge's default: the model that the training asked (the model family's cards)."""
MIN_SECRET_LENGTH = 16
"""Characters. Whoever guesses the key can find raters' names by trying names. Whoever guesses the token sees all votes."""

Device = Literal["auto", "cuda", "mps", "cpu"]
Quantization = Literal["off", "int8", "fp8"]
JudgeKind = Literal["auto", "lexical", "logits", "hosted"]


@dataclass(frozen=True)
class Settings:
    """Everything that can be set from outside.

    ``engine`` is a name in `engines.choose.ENGINES`. An empty ``model`` means: choose by hardware. ``judge_model`` is a hub id, folder or ``.gguf`` for the logits judge (empty: the model that writes), or a
    server's name for one for the hosted judge, which asks at ``judge_url`` with ``judge_key``. ``compiled``
    has pieces of the local model compiled, or not; None: where the machine can. It is False on ZeroGPU, where
    a process lives for one request. ``quantization`` turns its weights to 8 bits. ``rater_key`` is the secret that raters' names are hashed with (empty:
    one made once, in the cache folder). ``dataset`` is the Hub's owner/name to publish votes to, with
    ``hub_token``; empty: none is published. ``owner_token`` opens the page of votes, and so does one of
    ``owners`` signed in, where ``sign_in`` says that people can; without either it is closed.
    """

    engine: str = "local"
    model: str = ""
    device: Device = "auto"
    form: Form | None = None
    max_new_tokens: int = 1024
    cache_dir: Path = Path("~/.cache/refiner")
    database_url: str = field(default="", repr=False)  # it may hold a password
    rater_key: str = field(default="", repr=False)
    prompt_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    threads: int = 0
    compiled: bool | None = None
    quantization: Quantization = "off"
    judge: JudgeKind = "auto"
    judge_model: str = ""
    judge_url: str = ""
    judge_key: str = field(default="", repr=False)
    mix: Mix = "weighted"
    dataset: str = ""
    hub_token: str = field(default="", repr=False)
    owner_token: str = field(default="", repr=False)
    owners: tuple[str, ...] = ()
    sign_in: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read ``REFINER_*`` and what hosts set; raise `InputError` naming the variable that is wrong."""
        env = os.environ if environ is None else environ

        def choice(name: str, allowed: tuple[str, ...], default: str) -> str:
            value = env.get(name, "") or default
            if value not in allowed:
                raise InputError(f"{name} is {value!r}; it can be {', '.join(allowed)}.")
            return value

        def number(name: str, default: int, low: int, high: int) -> int:
            value = env.get(name, "") or str(default)
            if not value.isdecimal() or not low <= int(value) <= high:
                raise InputError(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
            return int(value)

        def secret(name: str) -> str:
            value = env.get(name, "").strip()
            if 0 < len(value) < MIN_SECRET_LENGTH:
                raise InputError(
                    f"{name} is too short to be a secret; at least {MIN_SECRET_LENGTH} characters."
                )
            return value

        dataset = env.get("REFINER_DATASET", "").strip()
        if not re.fullmatch(r"(?:[\w.-]+/[\w.-]+)?", dataset):
            raise InputError(f"REFINER_DATASET is {dataset!r}; it must be a data set on the Hub: owner/name.")
        compiled = choice("REFINER_COMPILE", ("auto", "0", "1"), "auto")
        if env.get("SPACES_ZERO_GPU"):
            compiled = "0"
        form = choice("REFINER_FORM", ("auto", *get_args(Form)), "auto")
        cache = Path(env.get("REFINER_CACHE", "") or cls.cache_dir).expanduser()
        prompt = env.get("REFINER_PROMPT_FILE", "")
        return cls(
            engine=env.get("REFINER_ENGINE", "").strip() or cls.engine,
            model=env.get("REFINER_MODEL", "").strip(),
            device=cast("Device", choice("REFINER_DEVICE", get_args(Device), "auto")),
            form=None if form == "auto" else cast("Form", form),
            max_new_tokens=number(
                "REFINER_MAX_NEW_TOKENS", cls.max_new_tokens, MIN_NEW_TOKENS, MAX_NEW_TOKENS
            ),
            cache_dir=cache,
            database_url=env.get("DATABASE_URL", "") or f"sqlite:///{(cache / 'feedback.db').as_posix()}",
            rater_key=secret("REFINER_RATER_KEY"),
            prompt_file=Path(prompt) if prompt else None,
            host=env.get("GRADIO_SERVER_NAME", "") or cls.host,
            port=number("GRADIO_SERVER_PORT", cls.port, 0, 65535),
            threads=number("REFINER_THREADS", 0, 0, 1024),
            compiled={"auto": None, "0": False, "1": True}[compiled],
            quantization=cast("Quantization", choice("REFINER_QUANTIZE", get_args(Quantization), "off")),
            judge=cast("JudgeKind", choice("REFINER_JUDGE", get_args(JudgeKind), "auto")),
            judge_model=env.get("REFINER_JUDGE_MODEL", "").strip(),
            judge_url=env.get("REFINER_JUDGE_URL", "").strip(),
            judge_key=env.get("REFINER_JUDGE_KEY", "").strip(),
            mix=cast("Mix", choice("REFINER_MIX", get_args(Mix), "weighted")),
            dataset=dataset,
            hub_token=env.get("HF_TOKEN", "").strip(),
            owner_token=secret("REFINER_OWNER_TOKEN"),
            owners=tuple(filter(None, map(str.strip, env.get("REFINER_OWNERS", "").split(",")))),
            # elsewhere Gradio's sign-in is a mock that lets anybody in
            sign_in=env.get("SYSTEM") == "spaces" and all(map(env.get, ("SPACE_ID", "OAUTH_CLIENT_ID"))),
        )
