"""Guesses from the first rows of a table: what stands between its cells, where it begins, whether it has a header."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from itertools import dropwhile, takewhile

from django.utils.translation import gettext_lazy as _

from contactsync.imports.headers import field_of, is_known_header
from contactsync.imports.looks import looks_like_phone
from contactsync.imports.read import has_content, is_blank_row

#: what a person may choose
DELIMITERS = {
    ",": _("comma ,"),
    ";": _("semicolon ;"),
    "\t": _("tab"),
    "|": _("vertical bar |"),
    "،": _("Persian comma ،"),
    "؛": _("Persian semicolon ؛"),
}
SAMPLE_ROWS = 200
#: reports have a title, a date and perhaps a few words above their table
MOST_ABOVE = 20
#: in a letterhead
MOST_NUMBERS = 2


def guess_delimiter(text: str) -> str:
    """The delimiter that cuts the first rows most evenly into several cells; a comma when none does."""
    cut = max(text.rfind("\n"), text.rfind("\r"))
    complete = text[: cut + 1] or text
    return max(DELIMITERS, key=lambda delimiter: _evenness(complete, delimiter))


def _evenness(text: str, delimiter: str) -> float:
    """0 when nothing is cut; grows with the number of cells, with the share of even rows, and with cells that are numbers."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = []
    try:
        for cells in reader:
            if not is_blank_row(cells):
                rows.append(cells)
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # what was read up to there is sample enough; the real reading reports the line
    table = list(dropwhile(lambda row: len(row) == 1 and not is_contact(row), rows))
    if len(table) > 1 and min(map(len, table)) > 1:  # lines above a short table would outvote it
        rows = table
    widths = Counter(map(len, rows))
    if not widths:
        return 0.0
    width, count = widths.most_common(1)[0]
    if width == 1:
        return 0.0
    share = count / len(rows)
    header_fits = 1.0 if len(rows[0]) == width else 0.5
    with_phone = sum(any(map(looks_like_phone, row)) for row in rows) / len(rows)
    return share * header_fits * math.log2(width) + with_phone


def guess_start(rows: Sequence[Sequence[str]]) -> int:
    """How many rows stand above the table: the title and the date of a report, a letterhead, never a row of the table."""
    if (titles := _titles_below(rows[: MOST_ABOVE + 1])) is not None:
        return titles
    above = list(takewhile(lambda row: not is_contact(row), rows[: MOST_ABOVE + 1]))
    filled = [sum(map(has_content, row)) for row in above]
    usual = Counter(sum(map(has_content, row)) for row in rows).most_common(1)[0][0]
    known = [sum(map(is_known_header, row)) for row in above]
    if any(known):
        header = known.index(max(known))
        return header if usual == 1 or all(count < filled[header] for count in filled[:header]) else 0
    narrow = sum(1 for _ in takewhile(lambda count: count == 1, filled))
    return narrow if usual > 1 and any(map(is_contact, rows[narrow:])) else 0


def _titles_below(rows: Sequence[Sequence[str]]) -> int | None:
    """Where several known titles stand, one of a phone, below what is none; None when nowhere.

    What stands above is either no contact at all and has no known title, or, as a letterhead that holds a number or an
    address, begins with something else, and has fewer cells than there are titles.
    """
    for place, row in enumerate(rows):
        fields = {field_of(cell)[0] for cell in row} - {""}
        if len(fields) < 2 or "phone" not in fields or is_contact(row):
            continue
        above, width = rows[:place], sum(map(has_content, row))
        contacts = sum(map(is_contact, above))
        if not contacts and not any(is_known_header(cell) for line in above for cell in line):
            return place
        is_narrow = all(sum(map(has_content, line)) < width for line in above)
        return place if is_narrow and not is_contact(above[0]) and contacts <= MOST_NUMBERS else None
    return None


def guess_header(rows: Sequence[Sequence[str]]) -> bool:
    """The first row is a header unless it holds a phone number or an e-mail address."""
    first = rows[0]
    if is_contact(first):
        return False
    return any(map(is_known_header, first)) or not all(cell.strip().isdigit() for cell in first if cell.strip())


def is_contact(row: Sequence[str]) -> bool:
    """Does the row hold what looks like a phone number, or an e-mail address?"""
    return any(looks_like_phone(cell) or ("@" in cell and "." in cell) for cell in row)


def titles_are_too_few(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Is every row longer than the titles, all by as much, and is the phone where its title stands? Then the last columns have none.

    Else delimiters within the cells have moved what follows them.
    """
    lengths = set(map(len, rows))
    if len(rows) < 2 or len(lengths) > 1 or min(lengths) <= len(titles):
        return False
    phones = [index for index, title in enumerate(titles) if field_of(title)[0] == "phone"]
    return any(all(looks_like_phone(row[index]) for row in rows) for index in phones)
