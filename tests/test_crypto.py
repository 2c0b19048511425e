"""Credentials: what one key seals, only that key opens; a wrong key is an error, never a value."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from contactsync.crypto import Undecryptable, UnusableKey, check_key, decrypt, encrypt, rotate
from contactsync.models.fields import Credentials
from tests.factories import make_account

OLD, NEW, STRANGE = (Fernet.generate_key().decode() for _ in range(3))
mappings = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])), min_size=1
)


@given(mappings)
def test_what_is_sealed_is_opened_the_same(values: dict[str, str]) -> None:
    assert decrypt(encrypt(values, [NEW]), [NEW]) == values
    assert decrypt(encrypt(values, [OLD]), [NEW, OLD]) == values


@given(mappings)
def test_a_wrong_key_is_an_error(values: dict[str, str]) -> None:
    with pytest.raises(Undecryptable, match="CREDENTIAL_KEYS"):
        decrypt(encrypt(values, [OLD]), [NEW, STRANGE])


@given(mappings)
def test_rotation_seals_with_the_newest_key(values: dict[str, str]) -> None:
    rotated = rotate(encrypt(values, [OLD]), [NEW, OLD])
    assert decrypt(rotated, [NEW]) == values
    with pytest.raises(Undecryptable):
        decrypt(rotated, [OLD])


def test_rotation_without_the_key_changes_nothing_and_says_so() -> None:
    with pytest.raises(Undecryptable):
        rotate(encrypt({"api_key": "secret"}, [OLD]), [NEW])


def test_a_token_shows_nothing_and_is_never_the_same_twice() -> None:
    one, other = (encrypt({"api_key": "very-secret-value"}, [NEW]) for _ in range(2))
    assert "very-secret-value" not in one
    assert one != other


def test_nothing_is_nothing() -> None:
    assert encrypt({}, [NEW]) == ""
    assert decrypt("", [NEW]) == {}
    assert rotate("", [NEW]) == ""


@given(st.text(min_size=1))
def test_no_text_is_taken_for_a_token(text: str) -> None:
    with pytest.raises(Undecryptable):
        decrypt(text, [NEW])


def test_a_token_that_somebody_changed_does_not_open() -> None:
    token = encrypt({"api_key": "secret"}, [NEW])
    with pytest.raises(Undecryptable):
        decrypt(token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:], [NEW])


@pytest.mark.parametrize("key", ["", "short", "x" * 44, "ключ", "A" * 40, "=" * 44])
def test_an_unusable_key_is_named_as_such_and_not_shown(key: str) -> None:
    with pytest.raises(UnusableKey) as caught:
        check_key(key)
    assert not key or key not in str(caught.value)
    with pytest.raises(UnusableKey):
        encrypt({"api_key": "secret"}, [key])


def test_no_key_at_all_is_named_as_such() -> None:
    with pytest.raises(UnusableKey, match="No credential key"):
        encrypt({"api_key": "secret"}, [])


def test_a_good_key_passes() -> None:
    check_key(NEW)


def test_sealed_credentials_show_nothing_of_themselves() -> None:
    sealed = Credentials.seal({"api_key": "very-secret-value"})
    assert sealed.open() == {"api_key": "very-secret-value"}
    for shown in (str(sealed), repr(sealed), f"{sealed}"):
        assert "secret" not in shown
        assert sealed.token not in shown


@pytest.mark.django_db
def test_an_account_keeps_its_credentials_sealed() -> None:
    account = make_account(key="very-secret-value")
    account.refresh_from_db()
    assert account.credentials.open() == {"api_key": "very-secret-value"}
    assert "very-secret-value" not in account.credentials.token


@pytest.mark.django_db
def test_plain_text_cannot_slip_into_the_row() -> None:
    account = make_account()
    account.credentials = "very-secret-value"
    with pytest.raises(TypeError, match=r"Credentials\.seal") as caught:
        account.save()
    assert "very-secret-value" not in str(caught.value)
