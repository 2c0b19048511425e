"""Settings, all from the environment and `.env`. `.env.example` explains each."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from contactsync.crypto import UnusableKey, check_key
from contactsync.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(Path(os.environ.get("ENV_FILE", BASE_DIR / ".env")))

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", hint="Set it to a long random text, and keep it.")
CREDENTIAL_KEYS = [
    key
    for key in env.secret("CREDENTIAL_KEYS", hint="Set it to a Fernet key; newest first when there are several.")
    .replace(",", " ")
    .split()
    if key
]
for _key in CREDENTIAL_KEYS:
    try:
        check_key(_key)
    except UnusableKey as _error:
        raise ImproperlyConfigured(f"CREDENTIAL_KEYS: {_error}") from None

SITE_URL = env.site_url("SITE_URL", "http://127.0.0.1:8000")
_site = urlsplit(SITE_URL)
SECURE = _site.scheme == "https"
ALLOWED_HOSTS = [str(_site.hostname), *env.words("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var")))
LOGBOOK_DIR = Path(env.text("LOGBOOK_DIR", str(DATA_DIR / "logbook")))

INSTALLED_APPS = [
    "contactsync.apps.ContactSyncConfig",
    "contactsync.apps.ContactSyncAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "import_export",
    "axes",
    "csp",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

ROOT_URLCONF = "contactsync.urls"
WSGI_APPLICATION = "contactsync.wsgi.application"
LOGIN_URL = "admin:login"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# A commit that finds the WAL longer than this many pages of 4 kB copies all of it into the database, and waits for the disk.
# The limit is twice what an import leaves there (imports.rows), so that nobody who saves beside an import pays for its rows.
SQLITE_START = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16000;"
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'contactsync.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "contactsync.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": SQLITE_START,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_BACKENDS = {"database": "django_tasks_db.DatabaseBackend", "celery": "contactsync.celery.CeleryBackend"}
TASKS_BACKEND = env.choice("TASKS_BACKEND", "database", tuple(_BACKENDS))
if TASKS_BACKEND == "celery" and find_spec("celery") is None:
    raise ImproperlyConfigured(
        "TASKS_BACKEND is celery, and Celery is not installed. Install the packages of requirements-celery.lock, "
        "or set TASKS_BACKEND to database."
    )
CELERY_BROKER_URL = env.broker("CELERY_BROKER_URL") if TASKS_BACKEND == "celery" else ""
CELERY_QUEUE = env.name("CELERY_QUEUE", "contactsync")
TASKS = {"default": {"BACKEND": _BACKENDS[TASKS_BACKEND], "QUEUES": []}}

LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", ("en", "fa"))
LANGUAGES = [("en", _("English")), ("fa", _("Persian"))]
LOCALE_PATHS = [BASE_DIR / "contactsync" / "locale"]
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DATA_DIR / "private",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
IMPORT_MAX_MB = env.integer("IMPORT_MAX_MB", 200, minimum=1, maximum=4096)
IMPORT_KEEP_DAYS = env.integer("IMPORT_KEEP_DAYS", 90, minimum=1, maximum=3650)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# A first account for unattended installs; see `manage.py setup`.
PROVIDER = env.text("PROVIDER", "")
PROVIDER_TOKEN = env.secret("PROVIDER_TOKEN", "")
PROVIDER_BASE_URL = env.text("PROVIDER_BASE_URL", "")
PROVIDER_SENDER = env.text("PROVIDER_SENDER", "")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"urllib3": {"level": "INFO"}},  # its debug lines quote addresses, and so phone numbers
    "root": {"handlers": ["console"], "level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))},
}
