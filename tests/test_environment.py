"""Settings from the environment: a wrong or missing value stops the start and names the variable to set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from contactsync.environment import FALSE_WORDS, TRUE_WORDS, Environment

ROOT = Path(__file__).parents[1]


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "no.env")


def test_a_text_is_read_and_trimmed(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "  value ")
    assert env.text("THING") == "value"


def test_a_missing_text_is_named_with_its_hint(env: Environment) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"THING is not set\. Set it to a word\."):
        env.text("THING", hint="Set it to a word.")


def test_an_empty_value_counts_as_not_set(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "  ")
    assert env.text("THING", "default") == "default"
    with pytest.raises(ImproperlyConfigured, match="THING"):
        env.text("THING")


def test_a_file_of_settings_is_read_below_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FROM_FILE_ONE", "FROM_FILE_TWO"):
        monkeypatch.setenv(name, "")  # so that it is taken away again afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("FROM_FILE_TWO", "environment")
    path = tmp_path / ".env"
    path.write_text("FROM_FILE_ONE=file\nFROM_FILE_TWO=file\n")
    env = Environment(path)
    assert env.text("FROM_FILE_ONE") == "file"
    assert env.text("FROM_FILE_TWO") == "environment"
    os.environ.pop("FROM_FILE_ONE")


def test_a_secret_may_lie_in_a_file(env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text("from-file\n")
    monkeypatch.setenv("THING_FILE", str(path))
    assert env.secret("THING") == "from-file"


def test_a_secret_in_two_places_is_refused(env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "very-secret-value")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match="Both THING and THING_FILE") as caught:
        env.secret("THING")
    assert "very-secret-value" not in str(caught.value)


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), ("", "is empty"), (" \n", "is empty")])
def test_a_secret_file_that_is_missing_or_empty_is_named(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, told: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("THING_FILE", str(path))
    with pytest.raises(ImproperlyConfigured, match=f"THING_FILE names .*{told}"):
        env.secret("THING", "default")


@pytest.mark.parametrize(
    ("word", "value"),
    [*((word, True) for word in sorted(TRUE_WORDS)), *((word, False) for word in sorted(FALSE_WORDS)), ("TRUE", True)],
)
def test_a_boolean_is_read_in_its_usual_spellings(
    env: Environment, monkeypatch: pytest.MonkeyPatch, word: str, value: bool
) -> None:
    monkeypatch.setenv("THING", word)
    assert env.boolean("THING", default=not value) is value


@pytest.mark.parametrize("word", ["maybe", "2", "ture", "-"])
def test_anything_else_is_no_boolean(env: Environment, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("THING", word)
    with pytest.raises(ImproperlyConfigured, match=r"THING is .*Set it to true or false"):
        env.boolean("THING", default=False)


@given(st.integers())
def test_an_integer_is_read_between_its_bounds(number: int) -> None:
    env = Environment(Path(os.devnull))
    os.environ["CONTACTSYNC_TEST_INTEGER"] = str(number)
    try:
        if -5 <= number <= 5:
            assert env.integer("CONTACTSYNC_TEST_INTEGER", 0, minimum=-5, maximum=5) == number
        else:
            with pytest.raises(ImproperlyConfigured, match="number from -5 to 5"):
                env.integer("CONTACTSYNC_TEST_INTEGER", 0, minimum=-5, maximum=5)
    finally:
        del os.environ["CONTACTSYNC_TEST_INTEGER"]


def test_a_word_is_no_integer(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "ten")
    with pytest.raises(ImproperlyConfigured, match=r"THING is 'ten'\. Set it to a whole number"):
        env.integer("THING", 5, minimum=1, maximum=9)


def test_a_choice_is_one_of_its_words(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "fa")
    assert env.choice("THING", "en", ("en", "fa")) == "fa"
    monkeypatch.setenv("THING", "de")
    with pytest.raises(ImproperlyConfigured, match="one of: en, fa"):
        env.choice("THING", "en", ("en", "fa"))


def test_words_are_separated_by_commas(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.words("THING", ("a", "b")) == ["a", "b"]
    monkeypatch.setenv("THING", " x, ,y ")
    assert env.words("THING") == ["x", "y"]


def test_the_site_address_has_a_scheme_and_a_host(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "https://contacts.example.org/")
    assert env.site_url("THING", "") == "https://contacts.example.org"


@pytest.mark.parametrize(
    "value", ["contacts.example.org", "ftp://example.org", "https://", "https://example.org/app", "https://a.org?x=1"]
)
def test_anything_else_is_no_site_address(env: Environment, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("THING", value)
    with pytest.raises(ImproperlyConfigured, match=r"THING is .*such as https://"):
        env.site_url("THING", "")


def test_a_database_is_sqlite_or_postgresql(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "sqlite:////tmp/x.sqlite3")
    assert env.database("THING", "")["NAME"] == "/tmp/x.sqlite3"  # noqa: S108
    monkeypatch.setenv("THING", "postgres://user:pass@host:5433/name")
    assert env.database("THING", "")["ENGINE"] == "django.db.backends.postgresql"


@pytest.mark.parametrize("value", ["mysql://user:very-secret@host/name", "nonsense", "://very-secret"])
def test_another_database_is_refused_without_showing_its_password(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("THING", value)
    with pytest.raises(ImproperlyConfigured, match="THING") as caught:
        env.database("THING", "")
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["amqp://user:pass@host:5672/vhost", "amqps://user:pass@host", "amqp://host//"])
def test_a_broker_is_an_address_of_rabbitmq(env: Environment, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("THING", value)
    assert env.broker("THING") == value


@pytest.mark.parametrize(
    "value",
    [
        "redis://:very-secret@host",
        "host:5672",
        "amqp://",
        "amqp://user:very-secret/word@host",
        "amqp://user:very-secret#word@host",
        "amqp://user:very-secret@host:port",
        "amqp://user:very-secret@host?ssl=1",
        "amqp://user:very-secret@[host",
    ],
)
def test_anything_else_is_no_broker_and_its_password_is_not_shown(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("THING", value)
    with pytest.raises(ImproperlyConfigured, match="THING is not the address of a RabbitMQ broker") as caught:
        env.broker("THING")
    assert "very-secret" not in str(caught.value)


def test_a_name_is_short_and_plain(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.name("THING", "contactsync") == "contactsync"
    for wrong in ("two words", "a/b", "x" * 101):
        monkeypatch.setenv("THING", wrong)
        with pytest.raises(ImproperlyConfigured, match=r"THING is .*Set it to at most 100"):
            env.name("THING", "contactsync")


def start(code: str = "import contactsync.settings", **variables: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a fresh process with these variables and nothing else."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"ENV_FILE": os.devnull, "PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


GOOD = {"SECRET_KEY": "long-enough-" * 6, "CREDENTIAL_KEYS": Fernet.generate_key().decode()}


def test_the_settings_load_with_the_two_keys_only() -> None:
    done = start(**GOOD)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"CREDENTIAL_KEYS": ""}, "CREDENTIAL_KEYS is not set"),
        ({"CREDENTIAL_KEYS": "not-a-fernet-key"}, "CREDENTIAL_KEYS: A credential key must be"),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps'"),
        ({"SITE_URL": "example.org"}, "SITE_URL is"),
        ({"DATABASE_URL": "mysql://a:b@c/d"}, "DATABASE_URL names a database that is not supported"),
        ({"DATABASE_URL": "postgres://user:very-secret/word@host/name"}, "DATABASE_URL is not a database address"),
        ({"LANGUAGE_CODE": "xx"}, "LANGUAGE_CODE is 'xx'"),
        ({"IMPORT_MAX_MB": "0"}, "IMPORT_MAX_MB is 0"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL is 'LOUD'"),
        ({"TASKS_BACKEND": "redis"}, "TASKS_BACKEND is 'redis'. Set it to one of: database, celery"),
        ({"TASKS_BACKEND": "celery"}, "CELERY_BROKER_URL is not set. Set it to the address of RabbitMQ: amqp://"),
        ({"TASKS_BACKEND": "celery", "CELERY_BROKER_URL": "redis://very-secret@x"}, "CELERY_BROKER_URL is not the"),
        ({"CELERY_QUEUE": "two words"}, "CELERY_QUEUE is 'two words'"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(change: dict[str, str], named: str) -> None:
    done = start(**{**GOOD, **change})
    assert done.returncode != 0
    assert named in done.stderr
    assert "not-a-fernet-key" not in done.stderr
    assert "very-secret" not in done.stderr


def test_without_celery_installed_its_setting_stops_the_start() -> None:
    not_installed = "import sys; sys.modules['celery'] = None; import contactsync.settings"
    assert start(not_installed, **GOOD).returncode == 0
    done = start(not_installed, **GOOD, TASKS_BACKEND="celery", CELERY_BROKER_URL="amqp://host")
    assert done.returncode != 0
    assert "TASKS_BACKEND is celery, and Celery is not installed" in done.stderr


def test_the_address_of_the_broker_may_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "broker"
    path.write_text("amqp://user:password@host//\n")
    asked = "from contactsync import settings; print(settings.CELERY_BROKER_URL, settings.TASKS)"
    done = start(asked, **GOOD, TASKS_BACKEND="celery", CELERY_BROKER_URL_FILE=str(path))
    assert done.stdout.startswith(
        "amqp://user:password@host// {'default': {'BACKEND': 'contactsync.celery.CeleryBackend'"
    )
