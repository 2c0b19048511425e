"""The XML of one sheet in a workbook, for what the reader of spreadsheets does not tell."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from html import unescape
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate

_BLOCK = 1024 * 1024
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^<>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^<>]*>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def blocks_of(part: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a member, block by block."""
    while block := part.read(_BLOCK):
        yield block


def is_well_formed(part: IO[bytes]) -> bool:
    """Whether every element of the member ends. The parser keeps nothing, and gives up where entities make more of it."""
    parser = ParserCreate()
    try:
        for block in blocks_of(part):
            parser.Parse(block)
        parser.Parse(b"", True)
    except (ExpatError, LookupError):  # the latter at an encoding that nobody knows
        return False
    return True


def place_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The member that holds the sheet; empty when the workbook does not say so."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return ""
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    targets = {told.get("Id"): told.get("Target", "") for told in map(_attributes, _RELATION.findall(links))}
    for told in map(_attributes, _SHEET.findall(book)):
        if told.get("name") == sheet:
            key = next((value for name, value in told.items() if name.endswith(":id")), "")
            target = targets.get(key, "")
            place = target[1:] if target.startswith("/") else f"xl/{target}"
            return place if place in names else ""
    return ""


def _attributes(tag: str) -> dict[str, str]:
    return {name: unescape(one or other) for name, one, other in _ATTRIBUTE.findall(tag)}
