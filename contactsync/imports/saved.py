"""Choices of columns kept under a name."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from contactsync.imports.errors import MappingError
from contactsync.imports.memory import column_pairs
from contactsync.imports.rules import Rules
from contactsync.models import ImportJob, SavedMapping
from contactsync.text import clean

LONGEST_NAME = 100  # as the model has it

NO_NAME = gettext_noop("Give the mapping a name.")
NAME_LONG = gettext_noop("The name of a mapping has at most %(limit)s characters.")
NAME_TAKEN = gettext_noop(
    "There is a saved mapping “%(name)s” already. Choose another name, or choose to replace that one."
)


class NameRefused(MappingError):
    """The mapping cannot be kept under this name."""


def check_name(job: ImportJob, name: str, *, replace: bool) -> str:
    """The name as it is kept. Raises `NameRefused`."""
    name = clean(name)
    if not name:
        raise NameRefused(NO_NAME)
    if len(name) > LONGEST_NAME:
        raise NameRefused(NAME_LONG, limit=LONGEST_NAME)
    if not replace and mappings_for(job).filter(name=name).exists():
        raise NameRefused(NAME_TAKEN, name=name)
    return name


def mappings_for(job: ImportJob) -> QuerySet[SavedMapping]:
    """The saved mappings that a file of this account may use; none for the suppression list."""
    saved = SavedMapping.objects.all()
    return saved.none() if job.phonebook is None else saved.filter(account=job.phonebook.account_id)


def save_mapping(job: ImportJob, name: str, *, user: User | None, replace: bool = False) -> SavedMapping:
    """Keep the columns, fixed values and rules of an import under a name, for its account. Raises `NameRefused`."""
    name = check_name(job, name, replace=replace)
    content = {
        "columns": [list(pair) for pair in column_pairs(job)],
        "fixed": {field: kept["text"] for field, kept in job.fixed_values.items()},
        "rules": Rules.of(job).as_json(),
    }
    account = job.book.account
    if replace:
        saved, _made = SavedMapping.objects.update_or_create(
            account=account, name=name, defaults=content, create_defaults={**content, "created_by": user}
        )
        return saved
    try:
        with transaction.atomic():
            return SavedMapping.objects.create(account=account, name=name, created_by=user, **content)
    except IntegrityError as error:  # somebody else saved one in the same moment
        raise NameRefused(NAME_TAKEN, name=name) from error
