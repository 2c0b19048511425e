"""The texts that a provider has approved, as it lists them, kept with the account."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from contactsync.sync.connect import Provider


def listed(provider: Provider) -> list[dict[str, Any]]:
    """Every template as it is kept: `remote_id`, `title`, `text`, `variables`, `is_usable`, `raw_state`. Raises `ProviderError`."""
    return [{**asdict(template), "variables": list(template.variables)} for template in provider.list_templates()]
