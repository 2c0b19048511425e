"""The texts that a provider has approved, as it lists them, kept with the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from contactsync.sync.connect import Provider


def listed(provider: Provider) -> list[dict[str, Any]]:
    """Every template as it is kept: `remote_id`, `title`, `text`, `variables`, `is_usable`, `raw_state`. Raises `ProviderError`."""
    return [{**asdict(template), "variables": list(template.variables)} for template in provider.list_templates()]


@dataclass(frozen=True, slots=True)
class TemplateChanges:
    """Titles of the templates that another reading found new, changed (text, variables or state) or gone; `count` are there now."""

    count: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def compare(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> TemplateChanges:
    """What has changed from one list of templates to the next, both as `listed` makes them."""
    old, new = ({row["remote_id"]: row for row in rows} for rows in (before, after))
    return TemplateChanges(
        count=len(new),
        added=tuple(row["title"] for key, row in new.items() if key not in old),
        changed=tuple(row["title"] for key, row in new.items() if key in old and row != old[key]),
        gone=tuple(row["title"] for key, row in old.items() if key not in new),
    )
