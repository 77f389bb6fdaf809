"""A model in memory with its tokenizer, and what writing one answer with it takes: cache, writer, proposer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from refiner.decoding.constrained_writer import ConstrainedWriter, UnconstrainedWriter, Writer
from refiner.decoding.grammar import Grammar
from refiner.decoding.lookup_text import LookupText
from refiner.decoding.proposer import Proposer
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Message
from refiner.engines.protocol import GenerationRequest
from refiner.settings import Quantization

if TYPE_CHECKING:
    from refiner.decoding.kv_cache import KVCache
    from refiner.engines.static_passes import StaticPasses

MIN_PROBABILITY = 0.25
"""How probably right a proposal must be on a CPU, where one more token makes a pass dearer.

BENCHMARKS.md, "Decoding", has the measurement. Other devices measure what a pass costs (`decoding.pass_costs`).
"""

_MIN_PROBABILITY_MEASURED = 0.01
"""On those devices too, what is less probably right is not worth the time of proposing it."""

_UNLIMITED_CONTEXT = 1 << 20
"""Tokens that a model is taken to hold if its config names no limit."""


class LoadedModel:
    """A causal language model and its tokenizer. ``seconds`` is what loading took.

    ``compiled`` has small pieces of the model compiled for its short passes. With None it is so on CUDA,
    where the machine can compile.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        device: str,
        seconds: float,
        *,
        compiled: bool | None = None,
        quantization: Quantization = "off",
    ) -> None:
        from refiner.decoding.attention import GROUPED  # noqa: PLC0415 - torch is heavy
        from refiner.decoding.pass_costs import PassCosts  # noqa: PLC0415 - torch is heavy
        from refiner.engines import static_passes  # noqa: PLC0415 - torch is heavy

        self.model, self.tokenizer = model, tokenizer
        dtype = str(model.dtype).removeprefix("torch.")
        weights = "" if quantization == "off" else f" with {quantization} weights"
        self._facts = f"{device}, {dtype}{weights}, loaded in {seconds:.1f} s"
        self.vocabulary = Vocabulary(tokenizer, model.get_output_embeddings().weight.shape[0])
        eos = model.generation_config.eos_token_id
        self._eos_tokens = frozenset(eos if isinstance(eos, list) else [eos, tokenizer.eos_token_id])
        self._mask_cache: dict[Any, Any] = {}
        config = model.config.get_text_config()
        self.context = int(getattr(config, "max_position_embeddings", None) or _UNLIMITED_CONTEXT)
        layers = set(getattr(config, "layer_types", None) or ["full_attention"])
        self.full_attention = layers == {"full_attention"} and not getattr(config, "sliding_window", None)
        attention = model.config._attn_implementation  # noqa: SLF001 - it has no other name
        self.takes_mask = self.full_attention and attention in {"sdpa", GROUPED}
        """Whether mask and position alone tell what a token sees, and a boolean mask is taken as one."""
        self.static_passes: StaticPasses | None = None
        if self.takes_mask and (compiled or device == "cuda"):
            self.static_passes = static_passes.StaticPasses(model, device, compiled=compiled)
        self.costs = PassCosts() if device != "cpu" else None
        """What passes cost, measured at the first request; None on a CPU."""

    @property
    def detail(self) -> str:
        """Device, dtype and time of loading, and what here makes writing slower than it could be."""
        return ", ".join([self._facts, *(self.static_passes.problems if self.static_passes else ())])

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """The chat as tokens, up to where the answer begins. A template's thinking is switched off."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        if self.tokenizer.chat_template is None:
            text = "\n\n".join(turn["content"] for turn in turns) + "\n\n"
            return list(self.tokenizer.encode(text))
        text = self.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def choice_tokens(self, choice: str) -> tuple[int, ...]:
        """The single tokens that spell a choice, with a blank before it or without."""
        known = self.vocabulary.token_by_bytes
        return tuple(known[data] for data in (choice.encode(), f" {choice}".encode()) if data in known)

    def cache(self, capacity: int, before: "KVCache | None" = None, *, static: bool = True) -> "KVCache":
        """A cache that holds ``capacity`` tokens: ``before`` if that can be cropped, or an empty one.

        Without ``static`` no pass has a static shape.
        """
        from refiner.decoding.kv_cache import STATIC_WIDTHS, KVCache  # noqa: PLC0415 - torch is heavy

        passes = self.static_passes if static else None
        if before is not None and before.full_attention and before.static == bool(passes):
            before.reserve(capacity + STATIC_WIDTHS[-1])  # the padding of the last pass included
            return before
        return (
            passes.cache(capacity)
            if passes
            else KVCache(self.model, capacity, full_attention=self.full_attention)
        )

    def memory(self, tokens: int) -> str:
        """The memory that ``tokens`` and the model take, in words."""
        config = self.model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        kept = 2 * config.num_hidden_layers * heads * size * self.model.dtype.itemsize * tokens
        model = self.model.get_memory_footprint()
        return (
            f"Keys and values of {tokens:,} tokens take {kept / 1e9:.2f} GB, "
            f"beside {model / 1e9:.2f} GB of weights."
        )

    def proposer(self, request: GenerationRequest) -> Proposer | None:
        """What proposes draft tokens; None where the cache cannot be cropped, or little is left to choose."""
        if not self.full_attention or request.form == "extractive":
            return None
        lookup = LookupText(request.draft, [message.content for message in request.messages])
        min_probability = _MIN_PROBABILITY_MEASURED if self.costs else MIN_PROBABILITY
        return Proposer(lookup, request.ids, self.vocabulary, min_probability=min_probability)

    def writer(self, request: GenerationRequest) -> Writer:
        """The writer for a request: held to its form, or to nothing."""
        if request.form == "off":
            return UnconstrainedWriter(self.vocabulary, request.max_new_tokens, self._eos_tokens)
        grammar = Grammar(self.vocabulary, request.form, request.ids, request.quotes, self._mask_cache)
        return ConstrainedWriter(grammar, request.max_new_tokens)
