"""The environment, read in one place."""

from pathlib import Path

import pytest

from refiner.errors import InputError
from refiner.settings import Settings


def test_nothing_set_means_a_page_on_this_machine_only() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.model, settings.form) == ("127.0.0.1", 7860, "", None)
    assert settings.database_url.endswith("/.cache/refiner/feedback.db")
    assert settings.max_new_tokens == 1024


def test_nothing_is_compiled_on_zerogpu() -> None:
    environ = {"REFINER_COMPILE": "1", "SPACES_ZERO_GPU": "true"}
    assert Settings.from_environment(environ).compiled is False


@pytest.mark.parametrize(("value", "compiled"), [("", None), ("auto", None), ("0", False), ("1", True)])
def test_compiling_can_be_left_to_the_machine_forbidden_or_forced(
    value: str, *, compiled: bool | None
) -> None:
    assert Settings.from_environment({"REFINER_COMPILE": value}).compiled is compiled


def test_nobody_owns_the_votes_unless_said_so() -> None:
    settings = Settings.from_environment({})
    assert (settings.owner_token, settings.owners, settings.sign_in) == ("", (), False)


@pytest.mark.parametrize("missing", ["SYSTEM", "SPACE_ID", "OAUTH_CLIENT_ID"])
def test_people_sign_in_only_on_a_space_that_asks_for_it(missing: str) -> None:
    space = {"SYSTEM": "spaces", "SPACE_ID": "ada/refiner", "OAUTH_CLIENT_ID": "the Space's"}
    assert Settings.from_environment(space).sign_in
    assert not Settings.from_environment(space | {missing: ""}).sign_in


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REFINER_JUDGE_KEY", "hunter2"),
        ("REFINER_RATER_KEY", "hunter2 and then some"),
        ("HF_TOKEN", "hunter2"),
        ("REFINER_OWNER_TOKEN", "hunter2 and then some"),
        ("DATABASE_URL", "postgresql://me:hunter2@db/ratings"),
    ],
)
def test_a_secret_is_never_printed(name: str, value: str) -> None:
    assert "hunter2" not in repr(Settings.from_environment({name: value}))


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "REFINER_MODEL": " /models/mine ",
            "REFINER_DEVICE": "cpu",
            "REFINER_FORM": "strict",
            "REFINER_MAX_NEW_TOKENS": "8192",
            "REFINER_CACHE": "/tmp/kept",  # noqa: S108 - only a name
            "DATABASE_URL": "sqlite:////data/votes.db",
            "REFINER_RATER_KEY": " a long secret of ours ",
            "REFINER_PROMPT_FILE": "/etc/prompt.txt",
            "REFINER_THREADS": "2",
            "REFINER_COMPILE": "1",
            "REFINER_JUDGE": "hosted",
            "REFINER_JUDGE_MODEL": "judge-4b",
            "REFINER_JUDGE_URL": "http://127.0.0.1:8000/v1",
            "REFINER_JUDGE_KEY": "a key",
            "REFINER_MIX": "convex",
            "REFINER_DATASET": "lab/votes",
            "HF_TOKEN": "another key",
            "REFINER_OWNER_TOKEN": " a token of the owner's ",
            "REFINER_OWNERS": "ada, grace,,",
            "SYSTEM": "spaces",
            "SPACE_ID": "ada/refiner",
            "OAUTH_CLIENT_ID": "the Space's",
            "GRADIO_SERVER_NAME": "0.0.0.0",  # noqa: S104 - what a container sets
            "GRADIO_SERVER_PORT": "8080",
        }
    )
    assert settings == Settings(
        model="/models/mine",
        device="cpu",
        form="strict",
        max_new_tokens=8192,
        cache_dir=Path("/tmp/kept"),  # noqa: S108 - only a name
        database_url="sqlite:////data/votes.db",
        rater_key="a long secret of ours",
        prompt_file=Path("/etc/prompt.txt"),
        host="0.0.0.0",  # noqa: S104 - what a container sets
        port=8080,
        threads=2,
        compiled=True,
        judge="hosted",
        judge_model="judge-4b",
        judge_url="http://127.0.0.1:8000/v1",
        judge_key="a key",
        mix="convex",
        dataset="lab/votes",
        hub_token="another key",
        owner_token="a token of the owner's",
        owners=("ada", "grace"),
        sign_in=True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REFINER_DEVICE", "tpu"),
        ("REFINER_FORM", "loose"),
        ("REFINER_COMPILE", "yes"),
        ("REFINER_MAX_NEW_TOKENS", "15"),
        ("REFINER_MAX_NEW_TOKENS", "many"),
        ("GRADIO_SERVER_PORT", "-1"),
        ("REFINER_RATER_KEY", "15 characters.."),
        ("REFINER_OWNER_TOKEN", "15 characters.."),
        ("REFINER_DATASET", "votes"),
    ],
)
def test_a_wrong_value_is_refused_by_the_variables_name(name: str, value: str) -> None:
    with pytest.raises(InputError, match=name):
        Settings.from_environment({name: value})
