"""Raters' ids: the same for the same person, another for anybody else, of no use without the key."""

import multiprocessing
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.errors import StoreError
from refiner.feedback.rater import KEY_FILE_NAME, rater_id, rater_key
from refiner.settings import Settings

KEY = b"a key for tests, long enough"


def test_the_id_is_the_persons_and_the_keys() -> None:
    ada = rater_id(KEY, name="ada")
    assert re.fullmatch(r"[0-9a-f]{32}", ada)
    assert ada == rater_id(KEY, name="ada", browser="b1")
    assert (
        len({ada, rater_id(KEY, name="bob"), rater_id(KEY, browser="ada"), rater_id(b"other", name="ada")})
        == 4
    )


def test_nobody_known_is_nobody() -> None:
    assert not rater_id(KEY)


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_browser_can_call_itself_a_name(name: str, browser: str) -> None:
    assert rater_id(KEY, name=name) != rater_id(KEY, browser=browser)


def test_half_a_character_in_a_name_is_a_name() -> None:
    assert rater_id(KEY, name="a\ud83d") != rater_id(KEY, name="a\ud83e")


def test_the_key_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path / "new")
    key = rater_key(settings)
    assert len(key) == 64
    assert rater_key(settings) == key
    assert rater_key(Settings(cache_dir=tmp_path / "other")) != key
    assert [file.name for file in (tmp_path / "new").iterdir()] == [KEY_FILE_NAME]
    assert stat.S_IMODE((tmp_path / "new" / KEY_FILE_NAME).stat().st_mode) == 0o600


def test_processes_that_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(rater_key, [Settings(cache_dir=tmp_path)] * 16, chunksize=1)
    assert len(set(keys)) == 1


def test_a_key_that_is_set_is_the_key(tmp_path: Path) -> None:
    assert (
        rater_key(Settings(cache_dir=tmp_path, rater_key="set outside, long enough"))
        == b"set outside, long enough"
    )
    assert not list(tmp_path.iterdir())


def test_a_key_that_cannot_be_kept_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(StoreError, match="REFINER_RATER_KEY"):
        rater_key(Settings(cache_dir=tmp_path / "file"))


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE_NAME).touch()
    with pytest.raises(StoreError, match="REFINER_RATER_KEY"):
        rater_key(Settings(cache_dir=tmp_path))
