"""Hashes that say whether something changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


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
    """Hash of what a provider may be told of a contact."""
    return fingerprint(
        [phone, prefix, first_name, last_name, company, email, sorted(tags), assigned_user, note, dict(options)]
    )
