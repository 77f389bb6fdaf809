"""Votes published with the Hub's real client to a stand-in of its API: nothing lost, nothing that must not leave."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
import pytest
from hub import REPO, Hub, serving_hub
from paths import ROOT, TESTS
from sample_votes import vote
from standin import free_port

from refiner.errors import StoreError
from refiner.feedback.export.rows import FLAT_COLUMNS
from refiner.feedback.export.scrub import Scrubber
from refiner.feedback.publish.publisher import COMMIT_INTERVAL_MINUTES, Publisher
from refiner.feedback.storage import database
from refiner.feedback.storage.store import Store
from refiner.feedback.votes import VoteRecorder

Make = Callable[..., Publisher]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with serving_hub() as one:
        yield one
        huggingface_hub.close_session()


@pytest.fixture
def make(hub: Hub, tmp_path: Path, scrubber: Scrubber) -> Iterator[Make]:
    made: list[Publisher] = []

    def one(**given: Any) -> Publisher:
        options = {"folder": tmp_path / "kept", "endpoint": hub.url, "token": "hf_test", **given}
        made.append(Publisher(REPO, options.pop("folder"), scrubber, **options))
        return made[-1]

    yield one
    for publisher in made:
        publisher._closed.set()
        publisher.close()


def kept(tmp_path: Path) -> list[dict[str, Any]]:
    """The lines on this machine."""
    files = sorted((tmp_path / "kept").glob("data/*/*.jsonl"))
    return [
        json.loads(line) for file in files for line in file.read_text(encoding="utf-8").split("\n") if line
    ]


def soon(there: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not there():
        assert time.monotonic() < until
        time.sleep(0.02)


# --- what arrives ----------------------------------------------------------------------------------


def test_nothing_is_asked_of_the_hub_before_a_vote_that_may_be_published(make: Make, hub: Hub) -> None:
    publisher = make()
    publisher.publish(vote(0, consent_publish=False))
    publisher.close()
    assert hub.requested_paths == []


def test_the_first_vote_is_on_the_hub_soon_with_a_card_and_the_token(make: Make, hub: Hub) -> None:
    make().publish(vote(0, comment="Shorter."))
    soon(lambda: bool(hub.commits))
    (row,) = hub.rows()
    assert set(row) == set(FLAT_COLUMNS)
    assert (row["id"], row["comment"], row["deleted"]) == ("event-0", "Shorter.", False)
    assert hub.tokens == {"Bearer hf_test"}
    assert b"data/*/*.jsonl" in hub.files["README.md"]


def test_a_card_that_somebody_wrote_is_left_alone(make: Make, hub: Hub) -> None:
    hub.files["README.md"] = b"Ours."
    publisher = make()
    publisher.publish(vote())
    publisher.close()
    assert hub.files["README.md"] == b"Ours."
    assert len(hub.rows()) == 1


def test_what_arrives_is_scrubbed(make: Make, hub: Hub) -> None:
    publisher = make()
    publisher.publish(vote(comment="ask a.b@lund.se", run={"question": "Who is a.b@lund.se?"}))
    publisher.close()
    assert hub.rows()[0]["question"] == "Who is [e-mail address]?"
    assert not any(b"lund.se" in text for text in hub.files.values())


def test_the_repository_is_a_data_set_that_loads(make: Make, hub: Hub, tmp_path: Path) -> None:
    publisher = make()
    for number in range(3):
        publisher.publish(vote(number))
    publisher.forget("event-of-a-lost-disk")
    publisher.close()
    for path, text in hub.files.items():
        (tmp_path / "clone" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clone" / path).write_bytes(text)
    loaded = datasets.load_dataset(str(tmp_path / "clone"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded["deleted"] == [False, False, False, True]


# --- commits ---------------------------------------------------------------------------------------


def test_commits_are_no_more_than_four_an_hour() -> None:
    assert 60 / COMMIT_INTERVAL_MINUTES + 1 <= 4


def test_votes_between_two_commits_are_one_commit(make: Make, hub: Hub) -> None:
    publisher = make()
    publisher.publish(vote(0))
    soon(lambda: len(hub.commits) == 1)
    for number in range(1, 5):
        publisher.publish(vote(number))
    assert len(hub.commits) == 1
    publisher.close()
    assert len(hub.commits) == 2
    assert [row["id"] for row in hub.rows()] == [f"event-{number}" for number in range(5)]


def test_the_schedule_commits_by_itself(make: Make, hub: Hub) -> None:
    publisher = make(interval_minutes=0.1 / 60)
    publisher.publish(vote(0))
    soon(lambda: len(hub.rows()) == 1)
    publisher.publish(vote(1))
    soon(lambda: len(hub.rows()) == 2)


def test_files_are_rolled_and_only_the_last_one_grows(make: Make, hub: Hub) -> None:
    publisher = make(max_file_bytes=1)
    for number in range(3):
        publisher.publish(vote(number))
        publisher.flush()
    data = [[path for path in commit if path.endswith(".jsonl")] for commit in hub.commits]
    assert [len(paths) for paths in data] == [1, 1, 1]
    assert [path.rpartition("/")[2] for (path,) in data] == ["0001.jsonl", "0002.jsonl", "0003.jsonl"]


def test_every_process_has_a_folder_of_its_own(make: Make, hub: Hub, tmp_path: Path) -> None:
    for number in range(2):
        publisher = make(folder=tmp_path / str(number))
        publisher.publish(vote(number))
        publisher.close()
    folders = {path.split("/")[1] for path in hub.files if path.startswith("data/")}
    assert len(folders) == 2
    assert all(folder.startswith(socket.gethostname()) for folder in folders)


def test_threads_lose_no_vote_and_cut_no_line(make: Make, hub: Hub) -> None:
    publisher = make(interval_minutes=0.01 / 60, max_file_bytes=50_000)
    threads = [
        threading.Thread(target=lambda start=start: [publisher.publish(vote(start + n)) for n in range(8)])
        for start in (0, 100, 200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publisher.close()
    assert len({row["id"] for row in hub.rows()}) == 24
    assert all(text.endswith(b"\n") for path, text in hub.files.items() if path.endswith("l"))


# --- failures and ends -----------------------------------------------------------------------------


def test_a_hub_that_refuses_breaks_no_vote_and_gets_it_later(make: Make, hub: Hub, tmp_path: Path) -> None:
    hub.down = True
    publisher = make(interval_minutes=0.1 / 60)
    publisher.publish(vote(0))
    assert not publisher.flush()
    assert [row["id"] for row in kept(tmp_path)] == ["event-0"]
    assert hub.rows() == []
    hub.down = False
    soon(lambda: len(hub.rows()) == 1)


def test_a_commit_that_fails_is_made_up_for_by_the_next(make: Make, hub: Hub) -> None:
    publisher = make()
    publisher.publish(vote(0))
    soon(lambda: len(hub.commits) == 1)
    hub.down = True
    publisher.publish(vote(1))
    assert not publisher.flush()
    hub.down = False
    assert publisher.flush()
    assert len(hub.rows()) == 2


def test_a_hub_that_is_not_there_leaves_the_vote_for_the_next_process(
    make: Make, hub: Hub, tmp_path: Path
) -> None:
    first = make(endpoint=f"http://127.0.0.1:{free_port()}")
    first.publish(vote(0))
    first.close()
    assert hub.rows() == []
    (file,) = (tmp_path / "kept").glob("data/*/*.jsonl")
    with file.open("a", encoding="utf-8") as out:
        out.write('{"id": "event-9", "run_')  # cut off by a crash
    second = make()
    second.publish(vote(1))
    second.close()
    assert {row["id"] for row in hub.rows()} == {"event-0", "event-1"}


LEAVING = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from sample_votes import vote
from refiner.errors import StoreError
from refiner.feedback.publish.publisher import Publisher, exit_on_sigterm
from refiner.feedback.export.scrub import Scrubber
exit_on_sigterm()
publisher = Publisher("lab/votes", Path({folder!r}), Scrubber(Path({rules!r})), endpoint={url!r})
publisher.publish(vote(0))
{first}
publisher.publish(vote(1))
print("ready", flush=True)
{then}
"""


SENT = "while not publisher._sender._scheduler or not publisher._sender._scheduler.last_uploaded: time.sleep(0.02)"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param("", "", id="ends at once"),
        pytest.param(SENT, "", id="ends after a commit"),
        pytest.param(SENT, "time.sleep(60)", id="is told to stop"),
    ],
)
def test_a_process_that_leaves_sends_what_it_has(
    hub: Hub, tmp_path: Path, kept_cache: Path, first: str, then: str
) -> None:
    rules, folder = str(kept_cache / "scrub"), str(tmp_path / "kept")
    code = LEAVING.format(
        tests=str(TESTS / "support"), folder=folder, rules=rules, url=hub.url, first=first, then=then
    )
    environ = {**os.environ, "HF_HUB_OFFLINE": "0", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE)  # noqa: S603 - this interpreter
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    if then:
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert [row["id"] for row in hub.rows()] == ["event-0", "event-1"]


def test_a_folder_that_cannot_be_written_says_what_to_do(make: Make, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder", encoding="utf-8")
    with pytest.raises(StoreError, match="The rating is stored"):
        make().publish(vote())


@pytest.mark.slow
def test_processes_that_share_a_folder_lose_nothing_of_each_other(tmp_path: Path, kept_cache: Path) -> None:
    rules, folder = str(kept_cache / "scrub"), str(tmp_path / "kept")
    code = SHARING.format(tests=str(TESTS / "support"), folder=folder, rules=rules, votes=VOTES)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    first, second = (
        subprocess.Popen([sys.executable, "-c", code, *begins], env=environ)  # noqa: S603 - this interpreter
        for begins in (("0", "1000"), ("1000", "0"))
    )
    assert (first.wait(300), second.wait(300)) == (0, 0)
    there = {row["id"] for row in kept(tmp_path) if not row["deleted"]}
    assert there == {f"event-{begin + n}" for begin in (0, 1000) for n in range(VOTES) if n % 2}


VOTES = 80
SHARING = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from sample_votes import vote
from refiner.feedback.publish.publisher import Publisher
from refiner.feedback.export.scrub import Scrubber
publisher = Publisher("lab/votes", Path({folder!r}), Scrubber(Path({rules!r})), endpoint="http://127.0.0.1:9")
own, other = (int(begin) for begin in sys.argv[1:])
for n in range({votes}):
    publisher.publish(vote(own + n))
    if n % 2:  # while the other one writes to the file that this takes a line out of, or before it does
        publisher.forget(f"event-{{other + n - 1}}")
publisher._closed.set()
"""


# --- taking back -----------------------------------------------------------------------------------

COMMENT = "a comment to be withdrawn"


def test_a_vote_forgotten_before_it_was_sent_never_leaves(make: Make, tmp_path: Path) -> None:
    publisher = make(endpoint=f"http://127.0.0.1:{free_port()}")
    publisher.publish(vote(0, comment=COMMENT))
    publisher.publish(vote(1))
    publisher.forget("event-0")
    assert [(row["id"], row["deleted"]) for row in kept(tmp_path)] == [("event-1", False)]
    assert not any(COMMENT.encode() in file.read_bytes() for file in (tmp_path / "kept").rglob("*.*"))


def test_a_vote_forgotten_after_it_was_sent_leaves_the_hub_and_its_history(make: Make, hub: Hub) -> None:
    publisher = make()
    publisher.publish(vote(0, comment=COMMENT))
    soon(lambda: len(hub.rows()) == 1)
    publisher.publish(vote(1))
    publisher.forget("event-0")
    publisher.close()
    assert [(row["id"], row["deleted"]) for row in hub.rows()] == [("event-1", False), ("event-0", True)]
    assert not any(COMMENT.encode() in text for text in hub.history)


def test_a_vote_of_an_earlier_process_is_forgotten_as_one_that_was_seen(make: Make, hub: Hub) -> None:
    first = make()
    first.publish(vote(0, comment=COMMENT))
    first.close()
    second = make()
    second.forget("event-0")
    second.close()
    assert [(row["id"], row["deleted"], row["comment"]) for row in hub.rows()] == [("event-0", True, None)]
    assert not any(COMMENT.encode() in text for text in hub.history)


def test_what_could_not_be_taken_back_at_once_is_taken_back_by_the_next_process(make: Make, hub: Hub) -> None:
    first = make()
    first.publish(vote(0, comment=COMMENT))
    first.close()
    second = make(endpoint=f"http://127.0.0.1:{free_port()}")
    second.forget("event-0")
    second.close()
    assert any(COMMENT.encode() in text for text in hub.history)
    third = make()
    third.publish(vote(1))
    third.close()
    assert not any(COMMENT.encode() in text for text in (*hub.history, *hub.files.values()))


def test_a_vote_that_is_not_here_any_more_is_marked_as_withdrawn(make: Make, hub: Hub) -> None:
    publisher = make()
    publisher.forget("event-of-a-lost-disk", "run-of-it")
    publisher.close()
    (row,) = hub.rows()
    assert (row["id"], row["run_id"], row["deleted"]) == ("event-of-a-lost-disk", "run-of-it", True)


def test_a_vote_that_another_process_has_sent_leaves_the_hub_and_its_history(make: Make, hub: Hub) -> None:
    first, second = make(endpoint=f"http://127.0.0.1:{free_port()}"), make()
    first.publish(vote(0, comment=COMMENT))
    second.publish(vote(1))
    second.flush()
    assert len(hub.rows()) == 2
    first.forget("event-0")
    second.close()
    assert {(row["id"], row["deleted"]) for row in hub.rows()} == {("event-0", True), ("event-1", False)}
    assert not any(COMMENT.encode() in text for text in hub.history)


def test_what_is_withdrawn_twice_is_marked_once(make: Make, hub: Hub) -> None:
    publisher = make()
    for _ in range(2):
        publisher.forget("event-of-a-lost-disk", "run-of-it")
    publisher.close()
    assert len(hub.rows()) == 1


def test_a_deletion_that_left_a_copy_in_the_database_is_taken_back_all_the_same(
    make: Make, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database.ENGINE_OPTIONS["sqlite"], "connect_args", {"timeout": 0})
    file, publisher = tmp_path / "feedback.db", make()
    with closing(Store(f"sqlite:///{file.as_posix()}")) as store:
        ballots = VoteRecorder(store, publisher)
        event = ballots.record(vote(0, comment=COMMENT).feedback)
        soon(lambda: len(hub.rows()) == 1)
        with closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM feedback_events").fetchone()
            with pytest.raises(StoreError, match="a copy may be left"):
                ballots.delete(event)
        ballots.delete(event)
    publisher.close()
    assert [(row["id"], row["deleted"]) for row in hub.rows()] == [(event, True)]
    assert not any(COMMENT.encode() in text for text in hub.history)


def test_the_command_line_takes_back_what_the_page_published(make: Make, hub: Hub, tmp_path: Path) -> None:
    url = f"sqlite:///{(tmp_path / 'feedback.db').as_posix()}"
    environ = {
        **os.environ,
        "DATABASE_URL": url,
        "REFINER_DATASET": REPO,
        "REFINER_CACHE": str(tmp_path),
        "HF_HUB_OFFLINE": "0",
    }
    page = make(folder=tmp_path / "publish")
    with closing(Store(url)) as store:
        event, other = (VoteRecorder(store, page).record(vote(n, comment=COMMENT).feedback) for n in range(2))
    page.flush()
    assert len(hub.rows()) == 2

    def delete(number: str, endpoint: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("refiner")), "feedback", "delete", number]
        return subprocess.run(  # noqa: S603 - our own command
            command,
            env={**environ, "HF_ENDPOINT": endpoint},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    failed = delete(event, f"http://127.0.0.1:{free_port()}")
    assert failed.stdout == "Deleted.\n"
    assert "what was published of it is still there" in failed.stderr
    assert [row["deleted"] for row in hub.rows()] == [False, False]
    assert delete(other, hub.url).stdout == "Deleted.\n"
    assert {(row["id"], row["deleted"]) for row in hub.rows()} == {(event, True), (other, True)}
    assert not any(COMMENT.encode() in text for text in hub.history)


def test_a_mind_changed_takes_the_place_of_the_earlier_vote(make: Make, tmp_path: Path) -> None:
    publisher = make(endpoint=f"http://127.0.0.1:{free_port()}")
    publisher.publish(vote(0, "refined"))
    publisher.publish(vote(1, "draft", run_id="run-0"))
    assert [(row["id"], row["choice"]) for row in kept(tmp_path)] == [("event-1", "draft")]


def test_consent_withdrawn_takes_the_earlier_vote_back(make: Make, hub: Hub) -> None:
    publisher = make()
    publisher.publish(vote(0, comment=COMMENT))
    soon(lambda: len(hub.rows()) == 1)
    publisher.publish(vote(1, run_id="run-0", consent_publish=False))
    publisher.close()
    assert [(row["id"], row["deleted"]) for row in hub.rows()] == [("event-0", True)]


def test_the_same_vote_again_is_no_news(make: Make, hub: Hub) -> None:
    publisher = make()
    for _ in range(2):
        publisher.publish(vote(0))
        publisher.flush()
    assert [row["deleted"] for row in hub.rows()] == [False]
    assert len(hub.commits) == 1
