"""What somebody else does in the moment between two statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

#: a look at the account: when the connection is opened, and the last one before a single call is put on the wire
LOOK_AT_ACCOUNT = r'"state_reason" FROM "contactsync_provideraccount"'
#: a worker lets go of its run for a while
HAND_BACK = r'^UPDATE "contactsync_run" SET "lease_owner" = '


@contextmanager
def just_before(statement: str, happen: Callable[[], Any], *, nth: int = 1) -> Iterator[None]:
    """Let it happen once, right before the n-th statement that matches; fails when there was none."""
    seen: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if len(seen) < nth and re.search(statement, sql):
            seen.append(sql)
            if len(seen) == nth:
                happen()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield
    assert len(seen) == nth, f"{len(seen)} statements matched {statement}."
