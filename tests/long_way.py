"""The long way to every verdict: no short cut is taken, each cell goes the way of the unusual ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import jdatetime

from contactsync import numbering, options, spelling, text

NEVER = re.compile("(?!)")


def _none(*_: Any) -> None:
    return None


@contextmanager
def the_library_alone() -> Iterator[None]:
    """Every phone number is asked of the library."""
    with mock.patch.object(numbering, "read_usual", _none), mock.patch.object(numbering, "read", _none):
        yield


@contextmanager
def the_long_way() -> Iterator[None]:
    """In addition: Django's validator for every address, jdatetime for every date, and our own rules for what is not plain."""
    from contactsync.imports import cells  # needs Django's apps

    with the_library_alone(), ExitStack() as stack:
        for module, name, instead in (
            (text, "_CLEAN_ALREADY", NEVER),
            (spelling, "_WHOLE", NEVER),
            (options, "plain_integer", lambda raw: ""),
            (options, "from_jalali", lambda *day: jdatetime.date(*day).togregorian()),
            (cells, "_ORDINARY_EMAIL", NEVER),
            (cells, "_PLAIN_VALUES", {}),
            (cells, "_parse_again", options.parse_option),
        ):
            stack.enter_context(mock.patch.object(module, name, instead))
        cells.readers.cache_clear()
        yield
    cells.readers.cache_clear()
