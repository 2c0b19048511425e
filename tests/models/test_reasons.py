"""Reasons as people read them."""

from __future__ import annotations

import pytest
from django.utils import translation

from contactsync.models.reasons import describe, reason


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize(
    ("amount", "shown"),
    [("50000000.0", "50,000,000"), ("75517900", "75,517,900"), ("0.250", "0.25"), (36838, "36,838"), ("many", "many")],
)
def test_amounts_are_grouped_as_the_other_numbers_of_the_page(language: str, amount: str | int, shown: str) -> None:
    with translation.override(language):
        assert describe(reason("%(people)s", people=amount)) == shown


def test_a_number_that_is_a_name_stays_as_it_is() -> None:
    assert describe(reason("HTTP %(status)s, call %(call)s", status=404, call=12345)) == "HTTP 404, call 12345"
