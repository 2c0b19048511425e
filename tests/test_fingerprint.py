"""Hashes that are compared with stored ones: they must never come out differently for the same contact."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from contactsync.fingerprint import contact_fingerprint, fingerprint

ALI = {
    "phone": "+989121234567",
    "prefix": "آقای",
    "first_name": "علی",
    "last_name": "رضایی",
    "company": 'Acme "Süd" \\ Co',
    "email": "ali@example.com",
    "tags": ["vip", "رشت"],
    "assigned_user": "agent@example.com",
    "note": "tab\tand \x7f and \u2028",
    "options": {"12": "رشت", "2": "500", "3": "1992-10-08"},
}
NOBODY = dict.fromkeys(ALI, "") | {"phone": "+491711234567", "tags": [], "options": {}}


def test_the_hash_of_a_contact_is_the_one_that_is_stored() -> None:
    assert contact_fingerprint(**ALI) == "a7a3fa45b2091109e652081cf472b35e5b3545b2dd0180ae1b297059c4171c12"  # type: ignore[arg-type]
    assert contact_fingerprint(**NOBODY) == "252b42e2f65d80489edfcb3b052976640f2eb1398377cd076ff68f221dd0fd69"  # type: ignore[arg-type]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
contacts = st.fixed_dictionaries(
    dict.fromkeys(ALI, texts)
    | {"tags": st.lists(texts, max_size=3), "options": st.dictionaries(texts, texts, max_size=4)}
)


@given(contacts)
@example(ALI)
def test_the_hash_of_a_contact_is_that_of_the_list_of_its_fields(contact: dict[str, Any]) -> None:
    told = [sorted(contact[name]) if name == "tags" else contact[name] for name in ALI]
    assert contact_fingerprint(**contact) == fingerprint(told)


@given(contacts)
def test_the_order_of_tags_and_options_does_not_matter(contact: dict[str, Any]) -> None:
    turned = {"tags": contact["tags"][::-1], "options": dict(reversed(contact["options"].items()))}
    assert contact_fingerprint(**contact) == contact_fingerprint(**{**contact, **turned})
