"""A vocabulary in which a test can count: each byte is a token, and each word that the test names."""

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from refiner.decoding.vocabulary import Vocabulary

WIDTH = 512
"""The width of the logits: the tokens and padding."""


def small_vocabulary(*words: str) -> Vocabulary:
    """A byte-level vocabulary. The token of a byte is its number. Each word and all that it begins with follow."""
    characters: dict[int, str] = bytes_to_unicode()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    ids = {characters[byte]: byte for byte in range(256)}
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        spelled = [characters[byte] for byte in word.encode()]
        for size in range(1, len(spelled)):
            begun = "".join(spelled[:size])
            ids.setdefault(begun + spelled[size], len(ids))
            merges[begun, spelled[size]] = None
    backend = Tokenizer(models.BPE(vocab=ids, merges=list(merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return Vocabulary(PreTrainedTokenizerFast(tokenizer_object=backend), WIDTH)
