"""What tags a contact has after a cell has named some, also where a tag of the provider holds a separator."""

from __future__ import annotations

import pytest

from contactsync.imports.tags import tags_after


@pytest.mark.parametrize(
    ("there", "told", "after"),
    [
        (["a"], ["b"], ["a", "b"]),
        (["a"], ["a"], ["a"]),
        (["VIP, gold"], ["gold"], ["VIP, gold", "gold"]),
        (["VIP, gold"], ["VIP", "gold"], ["VIP, gold"]),
        (["VIP, gold", "a"], ["VIP", "gold", "a", "b"], ["VIP, gold", "a", "b"]),
    ],
)
def test_a_tag_is_added_unless_it_is_there(there: list[str], told: list[str], after: list[str]) -> None:
    assert tags_after(there, told, adds=True) == after


def test_an_exported_cell_leaves_the_tags_as_they_are_and_any_other_replaces_them() -> None:
    assert tags_after(["VIP, gold", "a"], ["VIP", "gold", "a"], adds=False) == ["VIP, gold", "a"]
    assert tags_after(["VIP, gold", "a"], ["gold"], adds=False) == ["gold"]
