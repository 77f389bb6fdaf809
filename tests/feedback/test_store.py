"""Ratings in a real SQLite file and a real PostgreSQL: kept with consent only, once a run, wiped when asked."""

import gzip
import json
import multiprocessing
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sample_ratings
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paths import DATA
from sample_ratings import FULL, SECRET, make_feedback

from refiner.cli import main
from refiner.domain import Feedback, Finished, Options, Refinement, Request, Source
from refiner.engines.scripted import ScriptedEngine
from refiner.errors import InputError, StoreError
from refiner.feedback import consent
from refiner.feedback.storage import database, events, migrations
from refiner.feedback.storage.migrations.versions import schema_2
from refiner.feedback.storage.store import Store
from refiner.judges.lexical.judge import LexicalJudge
from refiner.pipeline import refine
from refiner.runs.record import result_fields, run_record

if TYPE_CHECKING:
    from postgres import Server

FIRST_RELEASE = DATA / "first_release.db.gz"


@dataclass(frozen=True)
class Place:
    """An empty database: its address, what its files hold, and somebody else reading in it."""

    url: str
    bytes: Callable[[], bytes]
    reader: Callable[[], Any]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        file = tmp_path / "new" / "feedback.db"
        yield Place(
            f"sqlite:///{file.as_posix()}",
            lambda: b"".join(one.read_bytes() for one in file.parent.iterdir()),
            lambda: sqlite3.connect(file, isolation_level=None),
        )
    else:
        server: Server = request.getfixturevalue("postgresql")
        with server.database() as url:
            yield Place(url, server.bytes, lambda: psycopg.connect(url, autocommit=True))


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    one = Store(place.url)
    yield one
    one.close()


def test_a_rating_comes_back_as_it_was_given(store: Store) -> None:
    event = store.add(FULL)
    (vote,) = store.votes()
    assert vote.id == event
    assert vote.feedback == FULL
    assert vote.created_at.tzinfo is not None
    assert vote.created_at.utcoffset() == timedelta(0)


def test_the_words_that_were_agreed_to_are_kept_with_the_rating(store: Store) -> None:
    store.add(FULL)
    shown = consent.VERSIONS[consent.CURRENT]
    assert [vote.consent_words for vote in store.votes()] == [f"{shown.store}\n{shown.publish}"]


def test_nothing_is_stored_without_consent(store: Store, place: Place) -> None:
    with pytest.raises(InputError, match="consent"):
        store.add(make_feedback(consent_store=False))
    assert store.count() == 0
    assert SECRET.encode() not in place.bytes()


def test_the_same_rating_sent_again_is_one_vote(store: Store) -> None:
    assert store.add(FULL) == store.add(replace(FULL, reasons=dict(reversed(FULL.reasons.items()))))
    assert store.count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"choice": "tie"},
        {"comment": ""},
        {"consent_publish": False},
        {"stars": None},
        {"reasons": {"refined": ("clearer",)}},
        {"criteria": {"c1": True}},
        {"claims": {0: True}},
        {"blind": False},
        {"left": "draft"},
        {"rater": ""},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_rating_that_differs_anywhere_is_the_runs_new_vote(
    store: Store, changed: dict[str, object]
) -> None:
    other = replace(FULL, **changed)  # type: ignore[arg-type]  # fields by name
    assert store.add(FULL) != store.add(other)
    assert [vote.feedback for vote in store.votes()] == [other]
    assert store.count() == 1


def test_a_person_may_change_their_mind_and_change_it_back(store: Store) -> None:
    sent = [store.add(make_feedback(choice=choice)) for choice in ("refined", "draft", "refined")]
    assert len(set(sent)) == 3
    assert [vote.feedback.choice for vote in store.votes()] == ["refined"]


def test_a_rating_without_a_run_is_a_run_of_its_own(store: Store) -> None:
    sent = [store.add(make_feedback("")) for _ in range(2)]
    assert [(vote.id, vote.feedback.run_id) for vote in store.votes()] == [(event, event) for event in sent]


def test_a_vote_is_found_by_its_id_while_it_counts(store: Store) -> None:
    before = store.add(make_feedback(choice="draft"))
    now = store.add(make_feedback(choice="tie"))
    other = store.add(make_feedback("r2"))
    assert store.vote(before) is None
    assert store.vote("no-such-event") is None
    assert store.votes() == (store.vote(now), store.vote(other))
    store.delete(now)
    assert store.vote(now) is None


def test_a_run_may_be_published_if_any_of_its_ratings_said_so_deleted_ones_too(store: Store) -> None:
    agreed = store.add(make_feedback(consent_publish=True))
    withdrawn = store.add(make_feedback(consent_publish=False))
    other = store.add(make_feedback("r2", consent_publish=False))
    assert (store.run_of(agreed), store.run_of(withdrawn)) == (("r1", True), ("r1", True))
    assert store.run_of(other) == ("r2", False)
    assert store.run_of("no-such-event") is None
    store.delete(withdrawn)
    assert store.run_of(agreed) == ("r1", True)


def test_a_single_rating_is_deleted_once(store: Store) -> None:
    event = store.add(make_feedback())
    assert store.delete(event)
    assert not store.delete(event)
    assert store.count() == 0


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock of a machine that is nine hours before UTC."""
    with monkeypatch.context() as machine:
        machine.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_a_votes_time_is_utc_wherever_the_machine_stands(store: Store) -> None:
    before = datetime.now(UTC)
    store.add(make_feedback())
    (vote,) = store.votes()
    assert before <= vote.created_at <= datetime.now(UTC)
    assert vote.created_at.utcoffset() == timedelta(0)


def test_a_closed_store_lets_go_of_its_files_and_the_next_use_opens_them_again(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{(tmp_path / 'feedback.db').as_posix()}")
    store.close()  # before the first use there is nothing to close
    store.add(make_feedback())
    assert {file.name for file in tmp_path.iterdir()} > {"feedback.db"}  # and SQLite's log
    store.close()
    assert {file.name for file in tmp_path.iterdir()} == {"feedback.db"}
    assert store.count() == 1
    store.close()


def test_deleting_wipes_the_texts_from_the_files(store: Store, place: Place) -> None:
    store.add(replace(FULL, criteria={SECRET: True}))
    event = store.add(make_feedback(choice="tie"))
    store.add(make_feedback("r2", comment="kept"))
    assert SECRET.encode() in place.bytes()
    assert store.delete(event)
    assert [vote.feedback.run_id for vote in store.votes()] == ["r2"]
    left = place.bytes()
    assert SECRET.encode() not in left
    assert FULL.rater.encode() not in left
    assert not store.delete("no-such-event")
    assert not store.delete(event)


def test_a_deletion_that_leaves_a_copy_says_so_and_the_next_try_removes_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database.ENGINE_OPTIONS["sqlite"], "connect_args", {"timeout": 0})
    monkeypatch.setattr(database, "LOCK_TIMEOUT_SECONDS", 0.1)
    with closing(Store(place.url)) as store:
        event = store.add(make_feedback())
        with closing(place.reader()) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM feedback_events").fetchone()
            with pytest.raises(StoreError, match="a copy may be left"):
                store.delete(event)
        store.delete(event)
        assert SECRET.encode() not in place.bytes()


def test_what_no_database_can_keep_becomes_a_question_mark(store: Store) -> None:
    broken = make_feedback(
        "r\0", comment="so \ud83d\0", run={"a\0": ["\ud83d", {"b": "\0"}]}, criteria={"c\0": True}
    )
    assert store.add(broken) == store.add(broken)
    (vote,) = store.votes()
    mended = make_feedback("r?", comment="so ??", run={"a?": ["?", {"b": "?"}]}, criteria={"c?": True})
    assert vote.feedback == mended
    assert not store.delete("\ud83d\0")


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
HOSTILE = st.text(st.characters(), max_size=12)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
SIDES = st.sampled_from(["refined", "draft"])


def feedback(text: st.SearchStrategy[str]) -> st.SearchStrategy[Feedback]:
    return st.builds(
        Feedback,
        run=st.dictionaries(text, PLAIN | text, max_size=4),
        choice=st.sampled_from(["refined", "draft", "tie", "both_bad"]),
        comment=text,
        consent_store=st.just(value=True),
        consent_publish=st.booleans(),
        consent_version=text,
        run_id=text.map(lambda said: f"{uuid.uuid4()}{said}"),
        stars=st.none() | st.integers(1, 5),
        reasons=st.dictionaries(SIDES, st.lists(text, max_size=3).map(tuple)),
        criteria=st.dictionaries(text, st.booleans(), max_size=3),
        claims=st.dictionaries(st.integers(0, 400), st.booleans(), max_size=3),
        blind=st.booleans(),
        left=SIDES,
        rater=text,
    )


every_rating = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@every_rating
@given(feedback(TEXT))
def test_any_rating_comes_back_equal(store: Store, one: Feedback) -> None:
    event = store.add(one)
    assert store.add(one) == event
    assert {vote.id: vote.feedback for vote in store.votes()}[event] == one


@every_rating
@given(feedback(HOSTILE))
def test_any_rating_comes_back_mended(store: Store, one: Feedback) -> None:
    event = store.add(one)
    assert store.add(one) == event
    mended = replace(
        events.feedback_from_row({**events.row_from_feedback(one), "run_id": one.run_id, "run": one.run}),
        run=events.storable(one.run),
        run_id=events.storable(one.run_id),
    )
    assert {vote.id: vote.feedback for vote in store.votes()}[event] == mended


def test_two_processes_and_their_threads_lose_and_double_nothing(place: Place) -> None:
    spawn = multiprocessing.get_context("spawn")
    others = [
        spawn.Process(target=sample_ratings.send_twice, args=(place.url, start, 40)) for start in (0, 100)
    ]
    for process in others:
        process.start()
    threads = [
        threading.Thread(target=sample_ratings.send_twice, args=(place.url, start, 20))
        for start in (200, 300)
    ]
    for thread in threads:
        thread.start()
    for worker in (*others, *threads):
        worker.join()
    with closing(Store(place.url)) as store:
        assert store.count() == 120


def test_a_rating_sent_by_many_processes_at_once_to_a_new_database_is_one_event(place: Place) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, sent = spawn.Barrier(4), spawn.SimpleQueue()
    workers = [
        spawn.Process(target=sample_ratings.send_at_once, args=(place.url, start, sent)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    ids = [sent.get() for _ in workers]
    for worker in workers:
        worker.join()
    assert len(set(ids)) == 1
    with closing(Store(place.url)) as store:
        assert [vote.id for vote in store.votes()] == ids[:1]


def test_the_command_line_counts_and_deletes(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", place.url)
    event = store.add(make_feedback())
    store.add(make_feedback("r2"))
    assert CliRunner().invoke(main, ["feedback", "count"]).output == "2\n"
    assert CliRunner().invoke(main, ["feedback", "delete", f" {event} "]).output == "Deleted.\n"
    assert CliRunner().invoke(main, ["feedback", "count"]).output == "1\n"
    again = CliRunner().invoke(main, ["feedback", "delete", event])
    assert again.exit_code == 1
    assert "no rating with the number" in again.output


# --- migrations ------------------------------------------------------------------------------------


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url.replace("postgres://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_the_migrations_make_the_table_that_is_read(store: Store, place: Place) -> None:
    store.count()
    with connected(place.url) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.VERSION_TABLE})
        assert compare_metadata(context, events.METADATA) == []
        assert migrations.revision(connection) == str(events.SCHEMA_VERSION)


def test_a_database_of_the_first_release_opens_with_nothing_lost(tmp_path: Path) -> None:
    file = tmp_path / "feedback.db"
    file.write_bytes(gzip.decompress(FIRST_RELEASE.read_bytes()))
    with closing(sqlite3.connect(file)) as before:
        columns = "number, id, run_id, kind, schema_version, created_at, choice, comment, run"
        rows = before.execute(f"SELECT {columns} FROM feedback_events").fetchall()  # noqa: S608 - our own names
    with closing(Store(f"sqlite:///{file.as_posix()}")) as store:
        votes = {vote.feedback.run_id: vote for vote in store.votes()}
        assert {run_id: vote.feedback.choice for run_id, vote in votes.items()} == {
            "run-1": "refined",
            "run-2": "tie",
            "run-4": "draft",
        }
        first = votes["run-1"]
        assert first.feedback.comment == "Clearer – and cited. 👍"
        assert first.feedback.consent_publish
        assert first.consent_words == consent.words("2026-1")
        assert first.feedback.run["question"] == "Why is the sky blue?"
        assert store.add(first.feedback) == first.id
        assert store.delete(first.id)
    with closing(sqlite3.connect(file)) as after:
        still = after.execute(f"SELECT {columns} FROM feedback_events").fetchall()  # noqa: S608 - the same
        assert [row for row in still if row[2] != "run-1"] == [row for row in rows if row[2] != "run-1"]


def test_a_first_releases_table_is_taken_up_on_either_database(place: Place) -> None:
    with closing(Store(place.url)) as store:
        store.count()
    with connected(place.url) as connection:
        events.METADATA.drop_all(connection)
        connection.execute(sa.text(f"DROP TABLE {migrations.VERSION_TABLE}"))
        migrations.upgrade(connection, "1")
        connection.execute(sa.text(f"DROP TABLE {migrations.VERSION_TABLE}"))
        connection.execute(
            sa.text(
                "INSERT INTO feedback_events (id, run_id, kind, schema_version, created_at, choice, comment, "
                "consent_publish, consent_version, run) VALUES "
                "('e1', 'r1', 'vote', 1, '2026-11-24 10:00:00.000000', 'tie', 'so', :no, '2026-1', '{\"a\": 1}')"
            ),
            {"no": False},
        )
    with closing(Store(place.url)) as store:
        (vote,) = store.votes()
        assert (vote.id, vote.feedback.run) == ("e1", {"a": 1})
        assert vote.feedback == make_feedback(
            run={"a": 1}, choice="tie", comment="so", consent_version="2026-1"
        )


def test_a_newer_releases_database_is_left_alone_and_says_what_to_do(store: Store, place: Place) -> None:
    store.add(make_feedback())
    with connected(place.url) as connection:
        connection.execute(sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '99'"))  # noqa: S608 - ours
    with (
        closing(Store(place.url)) as older,
        pytest.raises(StoreError, match=r"newer Refiner.*Update Refiner"),
    ):
        older.count()


def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(command, "upgrade", _and_fail(command.upgrade))
        with closing(Store(place.url)) as store, pytest.raises(StoreError, match="no room"):
            store.count()
    with connected(place.url) as connection:
        assert sa.inspect(connection).get_table_names() == []
    with closing(Store(place.url)) as store:
        assert store.count() == 0


def _and_fail(step: Callable[..., None]) -> Callable[..., None]:
    def failing(*given: object) -> None:
        step(*given)
        raise OSError("no room")

    return failing


def test_a_consents_words_are_the_migrations() -> None:
    """What was shown is history: a version's words may be added, never changed."""
    assert {version: consent.words(version) for version in schema_2.WORDS} == schema_2.WORDS


# --- places ----------------------------------------------------------------------------------------


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with closing(Store("sqlite:///~/new/feedback.db")) as one:
        one.add(make_feedback())
    assert (tmp_path / "new" / "feedback.db").is_file()


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(StoreError, match="DATABASE_URL"):
        Store(f"sqlite:///{(tmp_path / 'file' / 'feedback.db').as_posix()}").add(make_feedback())


def test_a_database_that_can_only_be_read_says_what_to_do(tmp_path: Path) -> None:
    file = (tmp_path / "feedback.db").as_posix()
    with closing(Store(f"sqlite:///{file}")) as store:
        store.add(
            make_feedback()
        )  # a folder's rights would not stop root, so SQLite itself is told to only read
    with (
        closing(Store(f"sqlite:///file:{file}?mode=ro&uri=true")) as only,
        pytest.raises(StoreError, match=r"readonly.*DATABASE_URL"),
    ):
        only.add(make_feedback("r2"))


def test_a_file_that_is_no_database_says_what_to_do(tmp_path: Path) -> None:
    broken = tmp_path / "feedback.db"
    broken.write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(f"sqlite:///{broken.as_posix()}").count()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_server_that_does_not_answer_says_what_to_do(scheme: str) -> None:
    with pytest.raises(StoreError, match=r"refused.*DATABASE_URL"):
        Store(f"{scheme}://me:hunter2@127.0.0.1:1/ratings").count()


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
    store.add(make_feedback(run=record))
    assert store.votes()[0].feedback.run == json.loads(json.dumps(record, allow_nan=False))
