"""Everything a person reads is there in Persian, and the compiled catalogue is the written one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings

CATALOGUE = Path(settings.BASE_DIR) / "contactsync" / "locale" / "fa" / "LC_MESSAGES"
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE / "django.po"))


def test_every_text_has_a_persian_translation(catalogue: polib.POFile) -> None:
    missing = [entry.msgid for entry in catalogue if not entry.obsolete and not entry.translated()]
    assert missing == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    assert len(catalogue) > 300


def test_a_translation_keeps_the_places_of_its_text(catalogue: polib.POFile) -> None:
    wrong = []
    for entry in catalogue:
        translations = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        wanted = {*PLACES.findall(entry.msgid), *PLACES.findall(entry.msgid_plural)}
        wrong += [entry.msgid for text in translations if not set(PLACES.findall(text)) <= wanted]
        if not entry.msgid_plural:
            wrong += [entry.msgid for text in translations if set(PLACES.findall(text)) != wanted]
    assert wrong == []


def test_the_compiled_catalogue_is_the_written_one(catalogue: polib.POFile) -> None:
    compiled = {
        (entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural)
        for entry in polib.mofile(str(CATALOGUE / "django.mo"))
    }
    written = {
        (entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural) for entry in catalogue.translated_entries()
    }
    assert compiled == written, "Run ./run manage compilemessages"


def test_the_catalogue_holds_exactly_the_texts_of_the_sources(catalogue: polib.POFile, tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        assert "CI" not in os.environ, "gettext must be installed in CI"
        pytest.skip("gettext is not installed")
    tree = tmp_path / "tree"
    ignored = shutil.ignore_patterns("__pycache__", "tests", "var", ".*")
    for name in ("contactsync", "providers", "templates"):
        shutil.copytree(Path(settings.BASE_DIR) / name, tree / name, ignore=ignored)
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "fa", "--no-location", "--no-obsolete"],
        cwd=tree,
        env={
            **os.environ,
            "PYTHONPATH": str(tree),
            "DJANGO_SETTINGS_MODULE": "contactsync.settings",
            "ENV_FILE": os.devnull,
        },
        check=True,
        capture_output=True,
    )
    fresh = polib.pofile(str(tree / "contactsync" / "locale" / "fa" / "LC_MESSAGES" / "django.po"))
    in_sources = {(entry.msgctxt, entry.msgid) for entry in fresh}
    in_catalogue = {(entry.msgctxt, entry.msgid) for entry in catalogue if not entry.obsolete}
    assert in_sources == in_catalogue, "Run ./run manage makemessages --locale fa --no-obsolete, and translate"
