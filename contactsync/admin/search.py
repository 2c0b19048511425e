"""Finding people: by number in any form, by words of the name, by the value of an option."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Replace

from contactsync.models import CustomOption, ProviderAccount
from contactsync.models.option_text import OptionText
from contactsync.options import parse_option
from contactsync.phone import parse_phone, search_digits
from contactsync.text import ascii_digits, clean

#: how many options are searched when the list is not narrowed to one phonebook
OPTIONS_SEARCHED = 20
#: a longer row of digits is a phone number, not the value of an option
LONGEST_OPTION_NUMBER = 8
ZWNJ = "\u200c"
NAME_FIELDS = ("first_name", "last_name", "company", "email")


def by_number(rows: QuerySet[Any], text: str) -> QuerySet[Any] | None:
    """Rows with this number, or with these digits in it; None when the text is not a number.

    A whole number is looked up by the index; only a piece of one is looked for inside the numbers.
    """
    digits = search_digits(text)
    if not digits:
        return None
    regions = set(ProviderAccount.objects.values_list("default_region", flat=True)) or {"IR"}
    whole = {verdict.e164 for verdict in (parse_phone(text, region) for region in regions) if verdict.is_valid}
    if whole:
        exact = rows.filter(phone__in=whole)
        if exact.exists():
            return exact
    return rows.filter(phone__contains=digits)


def contacts(rows: QuerySet[Any], text: str, options: Iterable[CustomOption]) -> QuerySet[Any]:
    """Contacts for what a person typed: a number in any form, words of the name, or the value of an option.

    Every word must stand somewhere. A whole phone number is looked for as such only.
    """
    options = list(options)[:OPTIONS_SEARCHED]
    numbers = by_number(rows, text)
    if numbers is not None and (not options or len(search_digits(text)) > LONGEST_OPTION_NUMBER):
        return numbers
    text = clean(text)
    words = [_word(word, options) for word in text.split()]
    if not words:
        return rows
    found = reduce(operator.and_, words) | _typed(text, options)
    if numbers is not None:
        found |= Q(phone__contains=search_digits(text))
    plain: dict[str, Any] = {f"plain_{field}": Replace(field, Value(ZWNJ), Value("")) for field in NAME_FIELDS}
    plain |= {f"option_{option.pk}": OptionText(option.pk) for option in options}
    matching: QuerySet[Any] = rows.alias(**plain).filter(found)
    return matching


def _word(word: str, options: list[CustomOption]) -> Q:
    """One word in a name or an option. SQLite knows upper and lower case of ASCII only, so others are tried in each."""
    word = word.replace(ZWNJ, "")
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize(), ascii_digits(word)}
    prefix = "" if word.isascii() else "plain_"
    fields = [f"{prefix}{field}" for field in NAME_FIELDS] + [f"option_{option.pk}" for option in options]
    return reduce(operator.or_, (Q(**{f"{field}__icontains": word}) for field in fields for word in sorted(spellings)))


def _typed(text: str, options: list[CustomOption]) -> Q:
    """The text as the value of a date or number: 1371/07/16 finds 1992-10-08."""
    found = Q(pk__in=[])
    for option in options:
        if option.kind in {"date", "integer"}:
            verdict = parse_option(text, option.kind)
            if verdict.value:
                found |= Q(**{f"option_{option.pk}": verdict.value})
    return found
