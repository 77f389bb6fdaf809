"""Ratings in a real SQLite file: kept with consent only, once a run, never lost, and wiped when asked."""

import json
import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from refiner.domain import (
    Feedback,
    Finished,
    Options,
    Refinement,
    Request,
    Source,
)
from refiner.engines.scripted import ScriptedEngine
from refiner.errors import InputError, StoreError
from refiner.feedback.record import result_fields, run_record
from refiner.feedback.store import _CONNECT, Store
from refiner.judges.lexical import LexicalJudge
from refiner.pipeline import refine

SECRET = "the secret comment of a rater"  # noqa: S105 - a text to look for, no password


def url(folder: Path) -> str:
    return f"sqlite:///{(folder / 'new' / 'feedback.db').as_posix()}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(url(tmp_path))
    yield one
    one.close()


def rated(run_id: str = "r1", **changed: object) -> Feedback:
    given = Feedback({"draft": "It is so."}, "refined", SECRET, consent_store=True, run_id=run_id)
    return replace(given, **changed)  # type: ignore[arg-type]  # fields by name


def test_a_rating_comes_back_as_it_was_given(store: Store) -> None:
    event = store.add(rated(consent_publish=True, consent_version="v1"))
    (vote,) = store.votes()
    assert vote.id == event
    assert vote.feedback == rated(consent_publish=True, consent_version="v1")
    assert vote.created_at.tzinfo is not None


def test_nothing_is_stored_without_consent(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="consent"):
        store.add(rated(consent_store=False))
    assert store.count() == 0
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in (tmp_path / "new").iterdir())


def test_the_same_rating_sent_again_is_one_vote(store: Store) -> None:
    assert store.add(rated()) == store.add(rated())
    assert store.count() == 1


def test_a_person_may_change_their_mind_and_change_it_back(store: Store) -> None:
    events = [store.add(rated(choice=choice)) for choice in ("refined", "draft", "refined")]
    assert len(set(events)) == 3
    assert [vote.feedback.choice for vote in store.votes()] == ["refined"]


def test_deleting_wipes_the_texts_from_the_file(store: Store, tmp_path: Path) -> None:
    store.add(rated())
    event = store.add(rated(choice="tie"))
    store.add(rated("r2", comment="kept"))
    assert store.delete(event)
    assert [vote.feedback.run_id for vote in store.votes()] == ["r2"]
    left = b"".join(file.read_bytes() for file in (tmp_path / "new").iterdir())
    assert SECRET.encode() not in left
    assert not store.delete("no-such-event")
    assert not store.delete(event)


def test_a_deletion_that_leaves_a_copy_says_so_and_the_next_try_removes_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_CONNECT["sqlite"], "timeout", 0)
    event = store.add(rated())
    with closing(sqlite3.connect(tmp_path / "new" / "feedback.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM feedback_events").fetchone()
        with pytest.raises(StoreError, match="a copy may be left"):
            store.delete(event)
    store.delete(event)
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in (tmp_path / "new").iterdir())


def test_half_a_character_in_a_comment_does_not_lose_the_vote(store: Store) -> None:
    assert store.add(rated(comment="so \ud83d")) == store.add(rated(comment="so \ud83d"))
    assert [vote.feedback.comment for vote in store.votes()] == ["so ?"]
    assert not store.delete("\ud83d")


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with closing(Store("sqlite:///~/new/feedback.db")) as one:
        one.add(rated())
    assert (tmp_path / "new" / "feedback.db").is_file()


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(StoreError, match="DATABASE_URL"):
        Store(f"sqlite:///{(tmp_path / 'file' / 'feedback.db').as_posix()}").add(rated())


def test_a_database_that_can_only_be_read_says_what_to_do(store: Store, tmp_path: Path) -> None:
    store.add(rated())  # a folder's rights would not stop root, so SQLite itself is told to only read
    file = (tmp_path / "new" / "feedback.db").as_posix()
    with (
        closing(Store(f"sqlite:///file:{file}?mode=ro&uri=true")) as only,
        pytest.raises(StoreError, match=r"readonly.*DATABASE_URL"),
    ):
        only.add(rated("r2"))


def test_a_file_that_is_no_database_says_what_to_do(tmp_path: Path) -> None:
    broken = tmp_path / "feedback.db"
    broken.write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(f"sqlite:///{broken.as_posix()}").count()


def cast(database: str, first: int, times: int) -> None:
    store = Store(database)
    for number in range(first, first + times):
        store.add(rated(f"run{number}"))
        store.add(rated(f"run{number}"))
    store.close()


def test_two_processes_and_their_threads_lose_and_double_nothing(tmp_path: Path) -> None:
    database = url(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=cast, args=(database, start, 40)) for start in (0, 100)]
    for process in others:
        process.start()
    threads = [threading.Thread(target=cast, args=(database, start, 20)) for start in (200, 300)]
    for thread in threads:
        thread.start()
    for worker in (*others, *threads):
        worker.join()
    store = Store(database)
    assert store.count() == 120
    store.close()


# --- records ---------------------------------------------------------------------------------------

ANSWER = "<answer><snippet id=s1,zz>The sky is blue.</snippet> So it seems to be here.</answer>"


@pytest.fixture(scope="module")
def run() -> Refinement:
    request = Request("Why?", "The sky is blue [s1].", (Source("s1", "The sky is blue on a clear day."),))
    *_, last = refine(request, ScriptedEngine([ANSWER]), LexicalJudge(), Options(seed=7))
    assert isinstance(last, Finished)
    return last.refinement


def test_a_row_holds_what_the_command_line_promises(run: Refinement) -> None:
    row = result_fields(run)
    wanted = (
        "answer text claims findings reward draft_reward model prompt_version prompt_tokens completion_tokens "
        "forward_passes seconds"
    )
    assert set(wanted.split()) <= set(row)
    assert row["answer"] == ANSWER
    assert row["text"] == "The sky is blue. So it seems to be here."
    assert row["claims"] == [{"text": "The sky is blue.", "ids": ["s1", "zz"]}]


def test_what_was_not_scored_is_null_and_says_why(run: Refinement) -> None:
    reward = json.loads(json.dumps(result_fields(run)["reward"], allow_nan=False))
    assert reward["total"] is None
    assert reward["reason"]
    assert {one["value"] for one in reward["rubric"]["criteria"]} == {None}
    assert all("language model judge" in one["reason"] for one in reward["rubric"]["criteria"])


def test_a_record_is_stored_and_read_back_whole(run: Refinement, store: Store) -> None:
    record = run_record(run)
    store.add(rated(run=record))
    assert store.votes()[0].feedback.run == json.loads(json.dumps(record, allow_nan=False))
