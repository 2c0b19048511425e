"""Hashes that tell whether something has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

#: a text as JSON has it, with letters of every script as they are; with anything but a text, a `TypeError`
_json: Callable[[str], str] = encode_basestring


def fingerprint(value: Any) -> str:
    """SHA-256 (64 hex digits) of a JSON value, the same for the same content in any key order."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def contact_fingerprint(
    *,
    phone: str,
    prefix: str,
    first_name: str,
    last_name: str,
    company: str,
    email: str,
    tags: Sequence[str],
    assigned_user: str,
    note: str,
    options: Mapping[str, str],
) -> str:
    """Hash of what a provider may be told of a contact: the `fingerprint` of a list, but in half the time."""
    listed = ",".join(map(_json, sorted(tags))) if tags else ""
    told = ",".join([f"{_json(key)}:{_json(options[key])}" for key in sorted(options)])
    text = (
        f"[{_json(phone)},{_json(prefix)},{_json(first_name)},{_json(last_name)},{_json(company)},{_json(email)},"
        f"[{listed}],{_json(assigned_user)},{_json(note)},{{{told}}}]"
    )
    return hashlib.sha256(text.encode()).hexdigest()
