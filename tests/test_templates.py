"""What templates write for machines is written as machines read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEMPLATES = sorted((Path(__file__).parents[1] / "templates").rglob("*.html"))
FOR_MACHINES = re.compile(r'\b(?:href|value|name|id|for|action|formaction|data-[a-z-]+)="((?:[^"]|"[^"]*"(?= |%))*?)"')
A_NUMBER = re.compile(r"\{\{\s*((?:[a-z_.]*\.)?(?:pk|id|number)|pk|page|i)\s*\}\}")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.name))
def test_numbers_in_addresses_and_fields_are_not_grouped_for_people(path: Path) -> None:
    """1000 is written as 1,000, or as ۱٬۰۰۰, unless `stringformat` says otherwise."""
    text = re.sub(r"\{%.*?%\}", "", path.read_text(encoding="utf-8"))
    assert not [found for part in FOR_MACHINES.findall(text) for found in A_NUMBER.findall(part)]
