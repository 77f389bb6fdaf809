"""The peers propose what their sources propose, and none beats the oracle."""

import hashlib
import importlib.util
import json
from itertools import takewhile

import pytest
import torch
from paths import SAMPLE_CASES
from peers import NGram, OracleCopy, PeerProposer, PlainSuffixDecoding, PromptLookup, SuffixDecoding
from transformers import PreTrainedTokenizerFast

from refiner.engines.local import LocalEngine

ROWS = [json.loads(line) for line in SAMPLE_CASES.read_text(encoding="utf-8").splitlines()]
ARCTIC = {24: "a400fc1b939088a3", 64: "456286141531404f"}
"""For a depth, the fingerprint that arctic-inference 0.3.0 gives."""


@pytest.mark.parametrize(
    ("drafter", "prompt", "output", "proposed"),
    [
        pytest.param(
            PromptLookup(3), [1, 2, 3, 4, 5, 1], [2], [3, 4, 5], id="lookup: two tokens, over the seam"
        ),
        pytest.param(
            PromptLookup(2), [9, 6, 7, 8, 6, 5, 1, 6], [], [7, 8], id="lookup: one token, the first"
        ),
        pytest.param(PromptLookup(9, ends=[0]), [1, 2, 3, 0, 4, 1, 2], [], [3], id="lookup: up to an end"),
        pytest.param(PromptLookup(9), [1, 2, 3], [], [], id="lookup: nothing"),
        pytest.param(NGram(4, max_n=3), [1, 2, 3, 4, 2, 3], [], [4, 2, 3], id="n-gram: vLLM's example"),
        pytest.param(NGram(1), [2, 3, 7, 1, 2, 3, 8, 2, 3, 9], [1, 2, 3], [8], id="n-gram: the longest"),
        pytest.param(NGram(1), [2, 3, 7, 2, 3, 8], [2, 3], [7], id="n-gram: the first"),
        pytest.param(NGram(5), [1, 1, 1, 1], [], [1], id="n-gram: overlapping itself"),
        pytest.param(NGram(5), [1, 2, 3, 1], [], [], id="n-gram: one token is too few"),
        pytest.param(
            PlainSuffixDecoding(), [1, 2, 3, 4, 5, 1, 2], [3], [4, 5, 1], id="suffix: as long as matched"
        ),
        pytest.param(PlainSuffixDecoding(), [1, 6, 1, 5, 1, 5, 2], [1], [5], id="suffix: the most frequent"),
        pytest.param(PlainSuffixDecoding(), [1, 6, 1, 5, 2], [1], [6], id="suffix: of equals the first"),
        pytest.param(
            PlainSuffixDecoding(min_token_prob=0.6), [1, 2, 3, 1], [], [], id="suffix: too unlikely"
        ),
        pytest.param(
            PlainSuffixDecoding(max_spec_factor=2.0), [1, 2, 3, 1], [], [2, 3], id="suffix: a larger factor"
        ),
        pytest.param(
            PlainSuffixDecoding(max_tree_depth=3), [*range(9), 0, 1, 2], [], [3], id="suffix: a flat tree"
        ),
        pytest.param(OracleCopy(), [1, 2, 3], [], [], id="oracle: output not known"),
    ],
)
def test_a_proposal_is_what_the_method_says(
    drafter: PeerProposer, prompt: list[int], output: list[int], proposed: list[int]
) -> None:
    for _ in range(2):
        drafter.start(prompt)
        assert drafter.propose(output) == proposed


def test_the_oracle_proposes_the_longest_run_that_comes() -> None:
    oracle = OracleCopy(most=3)
    output = [2, 3, 9, 1, 2, 3, 4, 5, 9]
    oracle.begin_with([1, 2, 3, 4, 5], output)
    assert [oracle.propose(output[:n]) for n in (0, 2, 3, 8, 9)] == [[2, 3], [], [1, 2, 3], [9], []]


def test_prompt_lookup_takes_the_passes_that_generate_takes(qwen: LocalEngine) -> None:
    loaded = qwen.loaded()
    prompt = [17, 18, 19, 20, 17, 18]
    passes = []
    hook = loaded.model.register_forward_hook(lambda *_: passes.append(1))
    written = loaded.model.generate(
        torch.tensor([prompt]), prompt_lookup_num_tokens=5, max_new_tokens=60, do_sample=False
    )
    hook.remove()
    output = written[0, len(prompt) :].tolist()
    drafter = PromptLookup(5)
    drafter.start(prompt)
    assert replay(drafter, output)[0] == len(passes) < len(output)


@pytest.mark.parametrize("depth", ARCTIC)
def test_the_plain_suffix_decoding_proposes_what_the_authors_own_does(depth: int) -> None:
    assert fingerprint(PlainSuffixDecoding(max_tree_depth=depth)) == ARCTIC[depth]


def test_suffix_decoding_is_the_authors_own_or_says_what_is_missing() -> None:
    if importlib.util.find_spec("arctic_inference"):
        assert fingerprint(SuffixDecoding()) == ARCTIC[24]
    else:
        with pytest.raises(ModuleNotFoundError, match="arctic_inference"):
            SuffixDecoding()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_none_beats_the_oracle(row: dict, qwen_tokenizer: PreTrainedTokenizerFast) -> None:
    sources = "\n".join(one["text"] for one in row["sources"])
    quotes = " ".join(one["text"][50:250] for one in row["sources"])
    prompt = qwen_tokenizer.encode(f"{row['question']}\n{sources}\n{row['draft']}")
    output = qwen_tokenizer.encode(f"{quotes} {row['draft'][100:600]} {quotes}")
    oracle = OracleCopy()
    oracle.begin_with(prompt, output)
    passes, most = replay(oracle, output)
    assert passes + most in {len(output), len(output) + 1}  # the last pass may have nothing left to add
    for drafter in (PromptLookup(10), NGram(10), NGram(20), PlainSuffixDecoding()):
        drafter.start(prompt)
        assert 0 < replay(drafter, output)[1] <= most


def replay(drafter: PeerProposer, output: list[int]) -> tuple[int, int]:
    """Passes, and accepted tokens, of a request that was begun."""
    at = passes = accepted = 0
    while at < len(output):
        draft = drafter.propose(output[:at])
        agreed = len([*takewhile(lambda pair: pair[0] == pair[1], zip(draft, output[at:], strict=False))])
        passes, accepted, at = passes + 1, accepted + agreed, at + agreed + 1
    return passes, accepted


def fingerprint(drafter: PeerProposer) -> str:
    """Of all that is proposed on the way through the bytes of a draft."""
    given = ROWS[-1]["draft"].encode()
    drafter.start(given[:1000])
    proposed = [drafter.propose(given[1000:upto]) for upto in range(1000, len(given) + 1)]
    return hashlib.sha256(json.dumps(proposed).encode()).hexdigest()[:16]
