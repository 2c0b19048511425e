"""What interrupts an import: a kill, a stop, somebody else. Each at a chosen moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contactsync.imports import run, stream

At = Callable[[str, int, Callable[[], None]], None]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows each, so that a small file has many."""
    monkeypatch.setattr(stream, "CHUNK_ROWS", 10)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """`at("write_issues", 3, happens)`: before the third call of this function of the worker, something happens."""

    def arrange(name: str, call: int, happens: Callable[[], None]) -> None:
        original = getattr(run, name)
        calls = 0

        def meddled(*args: object, **more: object) -> object:
            nonlocal calls
            calls += 1
            if calls == call:
                happens()
            return original(*args, **more)

        monkeypatch.setattr(run, name, meddled)

    return arrange
