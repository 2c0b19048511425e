"""Every quirk that the providers' documents number has a test that is called by its number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

#: letter of the document -> how many quirks it numbers, and the tests of its backend
NUMBERED = {"a": (13, "atomtelecom"), "c": (17, "callbell"), "l": (17, "lox24"), "q": (20, "ippanel")}


@pytest.mark.parametrize("letter", sorted(NUMBERED))
def test_every_numbered_quirk_has_a_test(letter: str) -> None:
    last, provider = NUMBERED[letter]
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob(f"test_{provider}*.py"))
    named = {int(number) for number in re.findall(rf"def test_{letter}(\d+)_", sources)}
    assert named == set(range(1, last + 1))
