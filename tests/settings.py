"""Settings of the tests: the application's own, with nothing taken from the developer's `.env`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

os.environ["ENV_FILE"] = os.devnull
for _name in ("PROVIDER", "PROVIDER_TOKEN", "PROVIDER_BASE_URL", "PROVIDER_SENDER", "TASKS_BACKEND"):
    os.environ.pop(_name, None)
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)
os.environ.setdefault("CREDENTIAL_KEYS", Fernet.generate_key().decode())
os.environ["SITE_URL"] = "http://127.0.0.1:8000"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="contactsync-tests-")
(Path(os.environ["DATA_DIR"]) / "static").mkdir()  # whitenoise warns when it is not there

from contactsync.settings import *  # noqa: E402, F403
from contactsync.settings import DATABASES, STORAGES  # noqa: E402

ALLOWED_HOSTS = ["*"]
# For the tests that put their work there; a queue of its own for each process of theirs.
CELERY_BROKER_URL = os.environ.get("TEST_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")
CELERY_QUEUE = f"contactsync-tests-{os.getpid()}"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
if DATABASES["default"]["ENGINE"] == "contactsync.sqlite":
    DATABASES["default"]["TEST"] = {"NAME": Path(os.environ["DATA_DIR"]) / "test.sqlite3"}
    # No test pulls the plug of the machine; waiting for the disk would only make them slow.
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["OPTIONS"] = {"options": "-c synchronous_commit=off"}
    DATABASES["default"]["TEST"] = {"NAME": f"test_contactsync_{os.getpid()}"}
