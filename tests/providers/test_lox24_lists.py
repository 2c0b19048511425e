"""The reader of lists: in whatever form pages come, everything is told once and in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.backends.lox24 import Lox24
from providers.backends.lox24.envelope import next_path, rows_of, total_of
from providers.exceptions import OutcomeUnknown

from .lox24 import BOOK, connect
from .servers import Recorder, recording

Reading = tuple[Lox24, Recorder]


@pytest.fixture(scope="module")
def reading() -> Iterator[Reading]:
    with recording() as recorder, connect(recorder.url) as client:
        yield client, recorder


def page(rows: list[Any], following: str, total: int, form: str) -> Any:
    """One page: "hydra:" or "" is the prefix of its members, "bare" has nothing but rows, "no view" no links."""
    if form == "bare":
        return rows
    prefix = "" if form == "" else "hydra:"
    data: dict[str, Any] = {f"{prefix}member": rows}
    if form != "no totals":
        data[f"{prefix}totalItems"] = total
    if form != "no view":
        data[f"{prefix}view"] = {"@id": "/x", **({f"{prefix}next": following} if following else {})}
    return data


FORMS = st.sampled_from(["hydra:", "", "no totals", "no view", "bare"])


@settings(max_examples=30)
@given(count=st.integers(0, 12), size=st.integers(1, 5), overlap=st.integers(0, 2), form=FORMS)
def test_groups_are_told_once_and_in_order(reading: Reading, count: int, size: int, overlap: int, form: str) -> None:
    client, recorder = reading
    recorder.asked.clear()
    recorder.answers.clear()
    groups = [{"id": 7000 + number, "name": f"Group {number}"} for number in range(count)]
    starts = list(range(0, count, size)) or [0]
    for start in starts:
        following = f"/groups?page={start // size + 2}" if start != starts[-1] else ""
        recorder.will_answer(page(groups[max(0, start - overlap) : start + size], following, count, form))
    recorder.will_answer(page([], "", count, form))  # what comes after the last page
    assert [book.remote_id for book in client.list_phonebooks()] == [str(group["id"]) for group in groups]
    assert [asked.params["page"] for asked in recorder.asked] == [str(n + 1) for n in range(len(recorder.asked))]
    if form in {"hydra:", "", "no totals"}:
        assert len(recorder.asked) == len(starts)


@settings(max_examples=30)
@given(count=st.integers(1, 12), kept=st.integers(0, 12), form=st.sampled_from(["hydra:", "", "no view"]))
def test_a_list_of_phones_is_whole_or_says_that_it_is_not(reading: Reading, count: int, kept: int, form: str) -> None:
    client, recorder = reading
    recorder.asked.clear()
    recorder.answers.clear()
    phones = [{"id": str(number), "phone": f"+491520000{number:04d}"} for number in range(count)][:kept]
    recorder.will_answer(page(phones, "", count, form))
    recorder.will_answer({"id": 7001, "name": "x", "count_items": count})  # asked where no row told the total
    listed: list[str] = []
    said = ""
    try:
        listed.extend(contact.remote_id for contact in client.list_contacts(BOOK))
    except OutcomeUnknown as error:
        said = error.reason
    assert bool(said) == (kept < count), said
    assert listed == [phone["id"] for phone in phones]


def test_links_that_lead_in_a_circle_end(reading: Reading) -> None:
    client, recorder = reading
    recorder.asked.clear()
    recorder.answers.clear()
    for number in range(3):
        rows = [{"id": number, "name": "x"}]
        recorder.will_answer(page(rows, f"/groups?page={number % 2 + 1}&again", 3, "hydra:"))
    assert len(list(client.list_phonebooks())) == 3
    assert len(recorder.asked) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["hydra:member", "member", "view", "hydra:next", "totalItems"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(JSON)
def test_nonsense_is_no_list_and_never_a_link_to_elsewhere(data: Any) -> None:
    with suppress(TypeError):
        assert isinstance(rows_of(data), list)
    with suppress(TypeError, ValueError):
        link = next_path(data)
        assert link is None or link.startswith("/")
    total = total_of(data)
    assert total is None or type(total) is int


@pytest.mark.parametrize(
    "link", ["https://evil.example/x", "//evil.example/x", "@evil.example/x", "evil.example:80/x", "http://[", ""]
)
def test_a_link_never_leads_to_another_host(link: str) -> None:
    with suppress(ValueError):
        path = next_path({"view": {"next": link}})
        assert path is None or path.startswith("/")


@pytest.mark.parametrize("link", ["http://[", 2, ["/groups?page=2"]])
def test_a_link_that_is_none_leaves_the_list_unfinished(reading: Reading, link: object) -> None:
    client, recorder = reading
    recorder.asked.clear()
    recorder.answers.clear()
    recorder.will_answer({"hydra:member": [], "hydra:view": {"hydra:next": link}})
    with pytest.raises(OutcomeUnknown):
        list(client.list_phonebooks())
    assert len(recorder.asked) == 1
