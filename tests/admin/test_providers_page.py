"""The page “Providers”: a column for each backend, everything they declare, nothing that is not from the code."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.utils.translation import override

from contactsync.admin.accounts import providers
from contactsync.admin.words import OPERATIONS, span
from contactsync.sync.connect import Capabilities, Operation, provider_choices, provider_class
from tests.admin.flow_rows import client_of, text_of

pytestmark = pytest.mark.django_db
PAGE = "/admin/providers/"
#: shown by the operations and their reasons, not by rows of their own; or told elsewhere on the page
ELSEWHERE = {"operations", "safe_to_repeat", "reasons", "notes", "slots", "schedule_latest"}


def test_every_operation_stands_on_the_page_once() -> None:
    labels = [row.label for section in providers.table() for row in section.rows]
    for operation in Operation:
        label = str(OPERATIONS[operation.value])
        assert labels.count(label[:1].upper() + label[1:]) == 1, operation


def test_every_capability_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    class Watched:
        def __init__(self, real: Capabilities) -> None:
            self._real = real

        def __getattr__(self, name: str) -> object:
            asked.add(name)
            return getattr(self._real, name)

    for slug, _label in provider_choices():
        backend = provider_class(slug)
        monkeypatch.setattr(backend, "capabilities", Watched(backend.capabilities))
    providers.table()
    fields = {field.name for field in dataclasses.fields(Capabilities)}
    assert fields - ELSEWHERE <= asked


def test_each_row_answers_for_every_provider_in_the_order_of_the_registry() -> None:
    width = len(provider_choices())
    assert {len(row.cells) for section in providers.table() for row in section.rows} == {width}


def test_what_is_not_possible_says_why() -> None:
    for section in providers.table():
        for row in section.rows:
            for operation in Operation:
                if row.label.lower() == str(OPERATIONS[operation.value]).lower():
                    assert all(cell.is_yes or cell.text for cell in row.cells), row.label


@pytest.mark.parametrize("name", ["nobody", "Marketing"])
def test_everybody_may_see_it_and_finds_it_in_the_menu(name: str) -> None:
    client = client_of(name) if name != "nobody" else client_of()
    page = text_of(client.get(PAGE))
    for _slug, label in provider_choices():
        assert label in page
    assert f'href="{PAGE}"' in text_of(client.get("/admin/"))


def test_without_a_login_it_is_not_shown(client: object) -> None:
    assert client.get(PAGE).status_code == 302  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (dt.timedelta(seconds=40), "40 seconds"),
        (dt.timedelta(minutes=1), "1 minute"),
        (dt.timedelta(hours=24), "1 day"),
        (dt.timedelta(hours=36), "36 hours"),
        (dt.timedelta(days=180), "180 days"),
        (None, ""),
    ],
)
def test_spans_of_time_are_in_their_largest_whole_unit(value: dt.timedelta | None, words: str) -> None:
    with override("en"):
        assert span(value) == words
