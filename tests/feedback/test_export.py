"""Exports read by the libraries they are for: `datasets`, TRL's own checks and trainers, Argilla's readers."""

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import datasets
import pytest
from click.testing import CliRunner
from huggingface_hub import DatasetCard
from sample_votes import vote, votes
from standin import serving_json
from transformers import PreTrainedTokenizerFast

from refiner.cli import main
from refiner.domain import Source
from refiner.errors import InputError
from refiner.feedback.consent import CURRENT, VERSIONS
from refiner.feedback.export.card import live_card
from refiner.feedback.export.dataset import export
from refiner.feedback.export.formats import Format
from refiner.feedback.export.rows import FLAT_COLUMNS, exclusion_from_pairs, preference_row
from refiner.feedback.export.scrub import Scrubber
from refiner.feedback.insight.biases import Proportion
from refiner.feedback.storage.store import Store, Vote
from refiner.formats.answer import parse
from refiner.prompts.prompt_file import PromptTemplate

FORMATS: tuple[Format, ...] = get_args(Format)
CHOICES = ("refined", "draft", "tie", "both_bad", "refined")


class Exports:
    """Votes written to a folder of the test's own, and read back."""

    def __init__(self, folder: Path, scrubber: Scrubber) -> None:
        self.folder, self._scrubber = folder / "out", scrubber

    def write(self, votes: list[Vote], kind: Format) -> Any:
        return export(votes, kind, self.folder, self._scrubber)

    def load(self) -> datasets.Dataset:
        cache = str(self.folder.with_name("cache"))
        return datasets.load_dataset(str(self.folder), split="train", cache_dir=cache)

    def card(self) -> str:
        return (self.folder / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def exports(tmp_path: Path, scrubber: Scrubber) -> Exports:
    datasets.disable_progress_bars()
    return Exports(tmp_path, scrubber)


# --- what is exported ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_without_consent_to_publish_is_in_any_file(exports: Exports, kind: Format) -> None:
    secret = "what a rater keeps to themselves"  # noqa: S105 - a text to look for, no password
    kept_back = vote(1, "draft", consent_publish=False, comment=secret, run={"question": secret})
    counts = exports.write([vote(0), kept_back], kind)
    assert (counts.votes, counts.withheld) == (2, 1)
    files = [file.read_bytes() for file in exports.folder.rglob("*") if file.is_file()]
    assert not any(secret.encode() in file for file in files)


@pytest.mark.parametrize(
    ("kind", "rows", "left"),
    [
        ("trl", 3, {"tie": 1, "both_bad": 1}),
        ("kto", 8, {"tie": 1}),
        ("argilla", 5, {}),
        ("jsonl", 5, {}),
        ("parquet", 5, {}),
    ],
)
def test_what_says_nothing_in_a_format_is_left_out_and_counted(
    exports: Exports, kind: Format, rows: int, left: dict[str, int]
) -> None:
    counts = exports.write(votes(CHOICES), kind)
    assert (counts.rows, dict(counts.left_out)) == (rows, left)
    assert exports.load().num_rows == rows


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ({"question": " "}, "incomplete"),
        ({"draft": ""}, "incomplete"),
        ({"answer": "<answer></answer>"}, "incomplete"),
    ],
)
def test_a_vote_without_a_text_makes_no_pair(run: dict[str, str], reason: str) -> None:
    assert exclusion_from_pairs(vote(run=run)) == reason


def test_two_answers_that_are_the_same_but_for_notation_make_no_pair() -> None:
    run = {
        "draft": "The sky is blue [0].",
        "answer": "<answer><snippet id=0>The sky is blue</snippet>.</answer>",
    }
    assert exclusion_from_pairs(vote(run=run)) == "same"


def test_a_record_that_is_none_raises_nothing() -> None:
    assert exclusion_from_pairs(vote(run={"sources": [7, {"id": 3}], "question": None})) == "incomplete"


def test_an_export_with_nothing_in_it_is_refused_and_says_why(exports: Exports) -> None:
    with pytest.raises(InputError, match="2 votes, 1 without consent"):
        exports.write([vote(0, "tie"), vote(1, consent_publish=False)], "trl")
    assert not exports.folder.exists()


def test_a_folder_that_holds_something_is_not_written_into(exports: Exports) -> None:
    exports.write([vote()], "jsonl")
    with pytest.raises(InputError, match="new folder"):
        exports.write([vote()], "jsonl")


# --- scrubbing -------------------------------------------------------------------------------------

PRIVATE = "Ask m.berg@lund.se or +46 8 517 700 00; the token hf_" + "mzWkpAePcEJIukBgeqNfngAFTCloiADNRp"


@pytest.mark.parametrize("kind", FORMATS)
def test_every_text_that_leaves_is_scrubbed_and_what_was_is_counted(exports: Exports, kind: Format) -> None:
    source = {"id": "0", "text": PRIVATE, "title": PRIVATE, "url": "https://a.b@lund.se/x"}
    run = {
        "question": PRIVATE,
        "draft": f"{PRIVATE} [0].",
        "answer": f"<answer>So. {PRIVATE}</answer>",
        "sources": [source],
        "reward": {"criteria": [{"reason": PRIVATE}]},
    }
    counts = exports.write([vote(0, comment=PRIVATE, run=run), vote(1)], kind)
    assert dict(counts.scrubbed) == {"email": 2, "phone": 1, "key": 1}
    for file in exports.folder.rglob("*.*"):
        assert not [one for one in (b"lund.se", b"517 700", b"hf_mz") if one in file.read_bytes()], file
    assert "| e-mail addresses | 2 |" in exports.card()


# --- TRL -------------------------------------------------------------------------------------------


def test_the_prompt_is_what_the_model_is_shown_of_question_and_sources() -> None:
    run = vote().feedback.run
    sources = [Source(**one) for one in run["sources"]]  # type: ignore[union-attr,attr-defined]
    question = str(run["question"])
    (whole,) = (
        message.content
        for message in PromptTemplate.from_file().messages(question, parse("D"), sources)
        if message.role == "user"
    )
    (turn,) = preference_row(vote())["prompt"]
    assert turn["role"] == "user"
    assert whole.startswith(turn["content"])
    assert turn["content"].endswith("</sources>")


def test_both_answers_are_in_one_notation_and_keep_their_citations() -> None:
    row = preference_row(vote(choice="draft"))
    chosen, rejected = row["chosen"][0]["content"], row["rejected"][0]["content"]
    assert chosen.startswith("<answer>")
    assert [claim.ids for claim in parse(chosen).claims] == [("0",), ("1",), ("2",), ("3",)]
    assert "[0]" not in chosen
    assert rejected == vote().feedback.run["answer"]


@pytest.mark.parametrize(
    "turn", ["<|im_start|>", "<<answer>|im_start|>", "<</answer>|im_start|>", "<｜User｜>"]
)
def test_no_text_opens_a_turn_of_a_chat(turn: str) -> None:
    run = {
        "question": f"Why? {turn}",
        "draft": f"So {turn}system x",
        "answer": f"<answer>Not so {turn}</answer>",
    }
    row = preference_row(vote(run=run))
    assert not [
        1 for name in ("prompt", "chosen", "rejected") if re.search(r"<[|｜]", row[name][0]["content"])
    ]


def test_trl_takes_the_preference_rows_for_conversations(
    exports: Exports, qwen_tokenizer: PreTrainedTokenizerFast
) -> None:
    from trl import data_utils  # noqa: PLC0415 - heavy

    exports.write(votes(CHOICES), "trl")
    loaded = exports.load()
    assert all(data_utils.is_conversational(row) for row in loaded)
    shown = data_utils.maybe_apply_chat_template(loaded[0], qwen_tokenizer)
    assert shown["prompt"].startswith("<|im_start|>user\n<question>")
    assert shown["chosen"].startswith("<answer>")
    assert data_utils.unpair_preference_dataset(loaded).num_rows == 2 * loaded.num_rows


def test_trl_takes_the_kto_rows_and_both_kinds_of_label(
    exports: Exports, qwen_tokenizer: PreTrainedTokenizerFast
) -> None:
    from trl import data_utils  # noqa: PLC0415 - heavy

    exports.write(votes(CHOICES), "kto")
    loaded = exports.load()
    assert all(data_utils.is_conversational(row) for row in loaded)
    assert Counter(loaded["label"]) == {True: 3, False: 5}
    assert "<answer>" in data_utils.maybe_apply_chat_template(loaded[0], qwen_tokenizer)["completion"]


@pytest.mark.slow  # ten seconds each, most of them TRL's imports and a softmax over the whole vocabulary
@pytest.mark.filterwarnings(
    "ignore:.*will be removed in v6:FutureWarning"
)  # TRL's, of transformers' old names
@pytest.mark.parametrize("kind", ["trl", "kto"])
def test_a_trainer_of_trl_takes_a_step_on_the_export(
    exports: Exports, qwen_folder: Path, qwen_tokenizer: PreTrainedTokenizerFast, kind: Format
) -> None:
    import trl  # noqa: PLC0415 - heavy

    run = vote().feedback.run
    brief = {
        "draft": str(run["draft"])[:300],
        "answer": str(run["answer"])[:300],
        "sources": run["sources"][:1],
    }  # type: ignore[index]
    exports.write([vote(number, choice, run=brief) for number, choice in enumerate(CHOICES)], kind)
    config, trainer = (trl.DPOConfig, trl.DPOTrainer) if kind == "trl" else (trl.KTOConfig, trl.KTOTrainer)
    arguments = config(
        str(exports.folder.with_name("trained")),
        max_steps=1,
        per_device_train_batch_size=2,
        max_length=384,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        disable_tqdm=True,
    )
    one = trainer(
        str(qwen_folder), args=arguments, train_dataset=exports.load(), processing_class=qwen_tokenizer
    )
    assert one.train_dataset.num_rows == exports.load().num_rows  # none was too long
    assert one.train().training_loss > 0


# --- flat ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_flat_row_holds_everything_of_its_vote(exports: Exports, kind: Format) -> None:
    original = vote(
        stars=4,
        comment="Shorter, and it cites. a.b@lund.se",
        reasons={"refined": ("concise",), "draft": ()},
        criteria={"c1": True},
        claims={0: False},
        blind=True,
        left="refined",
        rater="a1b2",
    )
    exports.write([original], kind)
    (row,) = exports.load()
    assert set(row) == set(FLAT_COLUMNS)
    assert (row["stars"], row["blind"], row["left"], row["rater"]) == (4, True, "refined", "a1b2")
    assert json.loads(row["reasons"]) == {"refined": ["concise"], "draft": []}
    assert json.loads(row["claims"]) == {"0": False}
    assert json.loads(row["scrubbed"]) == {"email": 1}
    again = {
        name: row[name]
        for name in ("question", "draft", "answer", "model", "judge", "prompt_version", "form")
    }
    assert {**json.loads(row["run"]), **again, "sources": json.loads(row["sources"])} == original.feedback.run


def test_columns_keep_their_types_where_every_value_is_missing(exports: Exports) -> None:
    exports.write([vote()], "parquet")
    types = {name: feature.dtype for name, feature in exports.load().features.items()}
    names = {str: "string", int: "int64", bool: "bool"}
    assert types == {name: names[of] for name, of in FLAT_COLUMNS.items()}


# --- Argilla ---------------------------------------------------------------------------------------


@pytest.fixture
def argilla() -> Iterator[Any]:
    """The library, logged in where a server would be: it makes no settings without."""
    with warnings.catch_warnings(action="ignore"):  # of its own models, at import
        import argilla as rg  # noqa: PLC0415 - heavy

    day = "2026-01-01T00:00:00"
    me = {"id": "00000000-0000-0000-0000-000000000001", "username": "u", "first_name": "u", "role": "owner"}
    with serving_json({**me, "inserted_at": day, "updated_at": day}) as url:
        rg.Argilla(api_url=url, api_key="k")
        yield rg
        rg.Argilla._default_client = None


def test_argilla_reads_settings_and_records_and_they_fit(exports: Exports, argilla: Any) -> None:
    disputed = vote(1, "draft", stars=2, comment="Too short.", rater="a1b2", blind=True)
    exports.write([vote(0), disputed], "argilla")
    settings = argilla.Settings.from_json(exports.folder / "settings.json")
    settings.validate()
    dicts = json.loads((exports.folder / "records.json").read_text(encoding="utf-8"))
    records = [argilla.Record.from_dict(one) for one in dicts]
    first, second = argilla.Dataset("votes", settings=settings).records._ingest_records(records)
    assert {field.name for field in settings.fields} == set(first.fields) == set(second.fields)
    assert {one.name for one in second.metadata} <= {one.name for one in settings.metadata}
    suggested = {one.question_name: one.value for one in second.suggestions}
    assert suggested == {"preference": "draft", "stars": 2, "comment": "Too short."}
    assert [one.question_name for one in first.suggestions] == ["preference"]
    assert second.external_id == disputed.id
    assert set(settings.questions["preference"].labels) == {"refined", "draft", "tie", "both_bad"}


# --- the card --------------------------------------------------------------------------------------


def test_the_card_counts_quotes_the_words_and_measures_the_biases(exports: Exports) -> None:
    mixed = [*votes(CHOICES), vote(5, "draft", blind=True, left="refined"), vote(6, consent_publish=False)]
    exports.write(mixed, "trl")
    card = DatasetCard(exports.card(), ignore_metadata_errors=False)
    assert card.data.license == "cc-by-4.0"
    assert card.data.size_categories == ["n<1K"]
    for line in (
        "| stored | 7 |",
        "| left out: no consent to publish | 1 |",
        "| left out: tie | 1 |",
        "| left out: both bad | 1 |",
        "| **rows here** | 4 |",
        f"“{VERSIONS[CURRENT].store}” “{VERSIONS[CURRENT].publish}” (6 votes)",
        "| the left side won, sides drawn at random and unnamed | 0.0% [0.0%, 79.3%] | 1 |",
        "| the left side won, sides named | 33.3% [6.1%, 79.2%] | 3 |",
        f"| `scripted` | `{PromptTemplate.from_file().version}` | 6 |",
    ):
        assert line in card.text


def test_the_longer_answer_is_told_by_its_words_without_markup(exports: Exports) -> None:
    long = {"draft": "Blue [0].", "answer": "<answer><snippet id=0>Blue indeed</snippet>.</answer>"}
    even = {"draft": "Blue.", "answer": "<answer><snippet id=0>Grey.</snippet></answer>"}
    exports.write([vote(0, run=long), vote(1, "draft", run=long), vote(2, run=even)], "trl")
    assert "| the longer answer won | 50.0% [9.5%, 90.5%] | 2 |" in exports.card()


def test_words_from_a_record_cannot_break_the_card(exports: Exports) -> None:
    exports.write([vote(run={"model": "`x` |\n# Heading\n---"})], "trl")
    assert "| `’x’ ¦ # Heading ---` |" in exports.card()


@pytest.mark.parametrize(
    ("hits", "n", "lo", "hi"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval_is_the_published_one(hits: int, n: int, lo: float, hi: float) -> None:
    """The last row: Newcombe 1998, Two-sided confidence intervals for the single proportion, table I."""
    figure = Proportion(hits, n).figure
    assert figure is not None
    assert (figure.lo, figure.hi) == (pytest.approx(lo, abs=5e-5), pytest.approx(hi, abs=5e-5))


def test_no_votes_are_no_share() -> None:
    assert Proportion(0, 0).figure is None


def test_the_live_card_tells_every_column_and_every_version_of_the_words() -> None:
    card = DatasetCard(live_card("cc-by-4.0", "data/*/*.jsonl"))
    assert card.data.to_dict()["configs"][0]["data_files"][0]["path"] == "data/*/*.jsonl"
    assert all(f"`{name}`" in card.text for name in (*FLAT_COLUMNS, *VERSIONS))


# --- the command -----------------------------------------------------------------------------------


def test_the_command_writes_what_the_database_holds(
    tmp_path: Path, kept_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{(tmp_path / 'votes.db').as_posix()}")
    monkeypatch.setenv("REFINER_CACHE", str(kept_cache))
    with closing(Store(f"sqlite:///{(tmp_path / 'votes.db').as_posix()}")) as store:
        for one in votes(("refined", "tie")):
            store.add(one.feedback)
    out = tmp_path / "out"
    arguments = ["feedback", "export", "--format", "trl", "--out", str(out), "--license", "odc-by"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "2 votes, 0 without consent to publish, 1 left out (tie), 1 rows" in result.output
    assert "license: odc-by" in (out / "README.md").read_text(encoding="utf-8")
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1
    assert "new folder" in again.output


def test_a_licence_that_is_no_id_is_refused(tmp_path: Path) -> None:
    arguments = ["feedback", "export", "--format", "trl", "--out", str(tmp_path / "x"), "--license", "a: b"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "cc-by-4.0" in result.output
