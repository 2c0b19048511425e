"""System checks: what an administrator should know before people work with the site. Ids are stable."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import connections

from contactsync.crypto import Undecryptable, UnusableKey, check_key, decrypt
from contactsync.models import DatabaseMark, ProviderAccount
from contactsync.models.reasons import describe
from contactsync.sync import guard, logbook
from contactsync.sync.connect import is_loopback

# As strict as Django's own check for deployments, which does not run at every start.
SHORTEST_SECRET = 50
FEWEST_DIFFERENT_CHARACTERS = 5

Messages = list[CheckMessage]


@register(Tags.security)
def check_keys(**_: Any) -> Messages:
    """E001: no usable key for credentials. W001: a SECRET_KEY that can be guessed."""
    found: Messages = []
    try:
        for key in settings.CREDENTIAL_KEYS:
            check_key(key)
        if not settings.CREDENTIAL_KEYS:
            raise UnusableKey("No credential key is configured.")
    except UnusableKey as error:
        found.append(
            Error(
                f"CREDENTIAL_KEYS: {error}",
                hint="Set it to a key made by Fernet.generate_key(); newest first when there are several.",
                id="contactsync.E001",
            )
        )
    secret = str(settings.SECRET_KEY)
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT_CHARACTERS:
        found.append(
            Warning(
                "SECRET_KEY is too short or too simple: sessions could be forged.",
                hint=f"Set it to a random text of {SHORTEST_SECRET} characters or more. Everybody has to log in again.",
                id="contactsync.W001",
            )
        )
    return found


@register(Tags.files)
def check_data_directory(**_: Any) -> Messages:
    """E002: DATA_DIR cannot be written to, or cannot be made."""
    path = Path(settings.DATA_DIR).absolute()
    nearest = next(place for place in (path, *path.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"DATA_DIR is {path}, and files cannot be written there.",
            hint="Give the user that runs contactsync the right to write there, or set DATA_DIR to another directory.",
            id="contactsync.E002",
        )
    ]


@register(Tags.files)
def check_logbook_directory(**_: Any) -> Messages:
    """E005: the log of the calls that left cannot be written, so none would leave."""
    directory = Path(settings.LOGBOOK_DIR)
    why = logbook.why_unwritable(directory)
    if not why:
        return []
    return [
        Error(
            f"LOGBOOK_DIR is {directory.absolute()}, and the log of the calls that leave cannot be written there: {why}.",
            hint="Give the user that runs contactsync the right to write there, or set LOGBOOK_DIR to another directory. "
            "It must outlive the container, and not be restored together with the database.",
            id="contactsync.E005",
        )
    ]


@register(Tags.database)
def check_newest(databases: Sequence[str] | None = None, **_: Any) -> Messages:
    """W004: calls are held back, because the database is older than what has left, or no log says whether it is."""
    if "default" not in (databases or []) or not _has_table("default", DatabaseMark._meta.db_table):
        return []
    found = guard.finding()
    if found is None:
        return []
    return [
        Warning(
            describe(found.why),
            hint="Look at the page “Restored database” (/admin/restored/), or run `manage.py allow_sends`.",
            id="contactsync.W004",
        )
    ]


@register(Tags.security)
def check_exposure(**_: Any) -> Messages:
    """E003: DEBUG is on where others can see it. W002: passwords and contacts travel unencrypted."""
    site = urlsplit(settings.SITE_URL)
    hosts = [str(site.hostname), *(host for host in settings.ALLOWED_HOSTS if host != site.hostname)]
    abroad = [host for host in hosts if not is_loopback(host)]
    if settings.DEBUG and abroad:
        return [
            Error(
                f"DEBUG is on, and the site answers to {abroad[0]}: error pages would show settings to others.",
                hint="Set DEBUG to false, or SITE_URL and ALLOWED_HOSTS to addresses of this machine only.",
                id="contactsync.E003",
            )
        ]
    if site.scheme == "http" and not is_loopback(str(site.hostname)):
        return [
            Warning(
                f"SITE_URL is {settings.SITE_URL}: passwords and contacts travel unencrypted.",
                hint="Put a proxy with TLS in front, set BEHIND_PROXY to true and SITE_URL to the https address.",
                id="contactsync.W002",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_broker(**_: Any) -> Messages:
    """E004: background work goes to a broker that cannot be reached. Asked of a deployment only, for it takes seconds."""
    if settings.TASKS_BACKEND != "celery":
        return []
    from contactsync.celery import broker, why_unreachable  # not installed everywhere

    why = why_unreachable()
    if not why:
        return []
    return [
        Error(
            f"RabbitMQ at {broker()} cannot be reached: {why}",
            hint="Start it or correct CELERY_BROKER_URL: host, port, user, password and vhost.",
            id="contactsync.E004",
        )
    ]


@register(Tags.database)
def check_credentials(databases: Sequence[str] | None = None, **_: Any) -> Messages:
    """W003: credentials that no key opens. I001: credentials that still need an old key."""
    found: Messages = []
    for alias in databases or []:
        if not _has_accounts(alias):  # before the first migration
            continue
        closed, old = [], []
        for name, credentials in ProviderAccount.objects.using(alias).values_list("name", "credentials"):
            if not _opens(credentials.token, settings.CREDENTIAL_KEYS):
                closed.append(name)
            elif not _opens(credentials.token, settings.CREDENTIAL_KEYS[:1]):
                old.append(name)
        found += _credential_messages(closed, old)
    return found


def _credential_messages(closed: list[str], old: list[str]) -> Messages:
    found: Messages = []
    if closed:
        found.append(
            Warning(
                f"The credentials of these accounts do not open with any key in CREDENTIAL_KEYS: {', '.join(closed)}.",
                hint="Add the key they were saved with, or enter the credentials again on the account’s page.",
                id="contactsync.W003",
            )
        )
    if old:
        found.append(
            Info(
                f"The credentials of these accounts are encrypted with an older key: {', '.join(old)}.",
                hint="Run `manage.py rotate_credentials`; after that the older key can be removed.",
                id="contactsync.I001",
            )
        )
    return found


def _has_table(alias: str, table: str) -> bool:
    connection = connections[alias]
    with connection.cursor() as cursor:
        return table in connection.introspection.table_names(cursor)


def _has_accounts(alias: str) -> bool:
    connection = connections[alias]
    table = ProviderAccount._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    return {"name", "credentials"} <= columns


def _opens(token: str, keys: Sequence[str]) -> bool:
    try:
        decrypt(token, keys)
    except (Undecryptable, UnusableKey):  # an unusable key has its own message, E001
        return False
    return True
