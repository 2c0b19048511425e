"""Writes contactsync/samples/: `python -m tests.data.make_samples`. The same seed gives the same files.

Every person is made up. The numbers begin with 000 after the operator's prefix, where no subscriber has one.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Callable
from pathlib import Path

import jdatetime
from openpyxl import Workbook

from tests.data.sample_counts import OTHERS_EN, OTHERS_FA, OTHERS_XLSX, PHONES_EN, PHONES_FA, PHONES_XLSX, REFUSED
from tests.data.sample_people import CITIES, FAMILY_NAMES, FIRST_NAMES, FOREIGN_CITIES, FOREIGN_NAMES

SAMPLES = Path(__file__).parents[2] / "contactsync" / "samples"
OPERATORS = ("912", "919", "935", "901")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

HEADER_FA = ["پیشوند", "نام", "نام خانوادگی", "شماره موبایل", "ایمیل", "شهر", "تاریخ تولد", "امتیاز"]
HEADER_EN = ["Title", "First name", "Last name", "Mobile", "E-mail", "City", "Birthday", "Points"]

PREFIX, FIRST_NAME, LAST_NAME, PHONE, EMAIL, CITY, BIRTHDAY, POINTS = range(8)

Row = list[str]
ARABIC_KEYBOARD = str.maketrans("یک", "يك")
SPELLINGS: dict[str, Callable[[str], str]] = {
    "local": lambda n: f"0{n}",
    "persian_digits": lambda n: f"0{n}".translate(PERSIAN),
    "arabic_digits": lambda n: f"0{n}".translate(ARABIC),
    "plus": lambda n: f"+98{n}",
    "double_zero": lambda n: f"0098{n}",
    "country_code": lambda n: f"98{n}",
    "lost_zero": lambda n: n,
    "spaces": lambda n: f"0{n[:3]} {n[3:6]} {n[6:]}",
    "dashes": lambda n: f"0{n[:3]}-{n[3:6]}-{n[6:]}",
    "brackets": lambda n: f"(0{n[:3]}) {n[3:6]}-{n[6:]}",
    "invisible_marks": lambda n: f"\u200f0{n[:3]}\u200c{n[3:6]}\u00a0{n[6:]}\u202c",
    "trunk_zero": lambda n: f"+98 0{n}",
    "decimal_zero": lambda n: f"{n}.0",
    "empty": lambda n: "",
    "too_short": lambda n: f"0{n[:-1]}",
    "too_long": lambda n: f"0{n}5",
    "not_assigned": lambda n: f"098{n[2:]}",
    "scientific": lambda n: f"9.8{n[0]}E+11",
    "several_numbers": lambda n: f"0{n} / 0935{n[3:]}",
    "not_a_number": lambda n: f"0{n[:3]}***{n[6:]}",
    "extension": lambda n: f"02100{n[1:3]}{n[-4:]} داخلی ۱۲",
    "decimal_damaged": lambda n: f"98{n[:-1]}.5",
    "landline": lambda n: f"02100{n[1:3]}{n[-4:]}",
}


class Maker:
    """Makes the rows of one file from its two tables."""

    def __init__(self, seed: int, phones: dict[str, int], others: dict[str, int], person: Callable[..., Row]) -> None:
        self.random = random.Random(seed)
        self.phones, self.others, self.person = phones, others, person

    def rows(self) -> list[Row]:
        kinds = [kind for kind, count in self.phones.items() if kind != "duplicate" for _ in range(count)]
        numbers = [f"{operator}000{tail:04d}" for operator in OPERATORS for tail in range(1001, 1301)]
        self.random.shuffle(kinds)
        self.random.shuffle(numbers)
        told = list(zip(kinds, numbers, strict=False))
        mobiles = [number for kind, number in told if kind not in REFUSED | {"landline"}]
        for number in self.random.sample(mobiles, self.phones.get("duplicate", 0)):
            spelling = self.random.choice(["local", "plus", "double_zero", "spaces"])
            told.insert(self.random.randrange(len(told) + 1), (spelling, number))
        rows = [self.person(self.random) for _ in told]
        for row, (kind, number) in zip(rows, told, strict=True):
            row[PHONE] = SPELLINGS[kind](number)
        self.add_the_rest(rows, [place for place, (kind, _) in enumerate(told) if kind not in REFUSED])
        return rows

    def add_the_rest(self, rows: list[Row], good: list[int]) -> None:
        """Names, dates and points: each kind in as many rows as its table says."""
        self.random.shuffle(good)
        dates = [kind for kind in ("jalali_date", "gregorian_date", "invalid_date") for _ in range(self.others[kind])]
        points = [
            kind for kind in ("points", "points_in_persian_digits", "invalid_points") for _ in range(self.others[kind])
        ]
        for place, kind in zip(good, dates, strict=False):
            rows[place][BIRTHDAY] = self.date(kind)
        self.random.shuffle(good)
        for place, kind in zip(good, points, strict=False):
            rows[place][POINTS] = self.points(kind)
        self.random.shuffle(good)
        special = iter(good)
        for _ in range(self.others["without_name"]):
            rows[next(special)][PREFIX:PHONE] = ["", "", ""]
        for _ in range(self.others["formula"]):
            rows[next(special)][FIRST_NAME] = '=HYPERLINK("http://example.com","click")'
        for _ in range(self.others["line_break"]):
            place = next(special)
            rows[place][LAST_NAME] += "\n" + rows[place][CITY]
        for _ in range(self.others["invalid_email"]):
            rows[next(special)][EMAIL] = self.random.choice(["info@", "ali.example.com", "a b@example.com"])
        for _ in range(self.others["arabic_letters"]):
            row = next(rows[place] for place in special if set("یک") & set(rows[place][LAST_NAME]))
            row[LAST_NAME] = row[LAST_NAME].translate(ARABIC_KEYBOARD)

    def date(self, kind: str) -> str:
        day = dt.date(1960, 1, 1) + dt.timedelta(days=self.random.randrange(17_000))
        there = jdatetime.date.fromgregorian(date=day)
        if kind == "invalid_date":
            return self.random.choice(["1372/12/30", "03/04/1992", "1371/13/01", "71/07/16"])
        if kind == "gregorian_date":
            return self.random.choice([f"{day:%Y/%m/%d}", f"{day:%Y-%m-%d}"])
        padded = f"{there.year}/{there.month:02d}/{there.day:02d}"
        if not self.others["points_in_persian_digits"]:
            return padded
        return self.random.choice(
            [padded, padded, padded.translate(PERSIAN), f"{there.year}-{there.month}-{there.day}"]
        )

    def points(self, kind: str) -> str:
        if kind == "invalid_points":
            return self.random.choice(["12.5", "many", "1e3"])
        number = str(self.random.randrange(0, 5000))
        return number.translate(PERSIAN) if kind == "points_in_persian_digits" else number


def person_fa(chance: random.Random) -> Row:
    first, latin_first, prefix = chance.choice(FIRST_NAMES)
    family, latin_family = chance.choice(FAMILY_NAMES)
    email = f"{latin_first}.{latin_family}{chance.randrange(100)}@example.com" if chance.random() < 0.6 else ""
    return [prefix if chance.random() < 0.7 else "", first, family, "", email, chance.choice(CITIES), "", ""]


def person_en(chance: random.Random) -> Row:
    first, family, title = chance.choice(FOREIGN_NAMES)
    email = f"contact{chance.randrange(1000)}@example.org" if chance.random() < 0.6 else ""
    return [title if chance.random() < 0.7 else "", first, family, "", email, chance.choice(FOREIGN_CITIES), "", ""]


def rows_fa() -> list[Row]:
    return Maker(1371, PHONES_FA, OTHERS_FA, person_fa).rows()


def rows_en() -> list[Row]:
    return Maker(1992, PHONES_EN, OTHERS_EN, person_en).rows()


def as_csv(header: Row, rows: list[Row], delimiter: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue()


def csv_fa() -> bytes:
    return as_csv(HEADER_FA, rows_fa(), ",").encode("utf-8-sig")


def csv_en() -> bytes:
    return as_csv(HEADER_EN, rows_en(), ";").encode("cp1252")


def rows_xlsx() -> list[list[object]]:
    """Fifty rows as people keep them in a workbook: some numbers and dates are no longer text."""
    rows: list[list[object]] = []
    for index, row in enumerate(Maker(1403, PHONES_XLSX, OTHERS_XLSX, person_fa).rows()):
        cells: list[object] = list(row)
        if index % 2:
            cells[PHONE] = int(row[PHONE])  # the zero is gone
        if row[BIRTHDAY]:
            cells[BIRTHDAY] = dt.datetime.fromisoformat(row[BIRTHDAY].replace("/", "-"))
        if row[POINTS]:
            cells[POINTS] = int(row[POINTS])
        rows.append(cells)
    return rows


def write() -> None:
    (SAMPLES / "sample-contacts-fa.csv").write_bytes(csv_fa())
    (SAMPLES / "sample-contacts-en.csv").write_bytes(csv_en())
    book = Workbook()
    for row in [HEADER_FA, *rows_xlsx()]:
        book.active.append(row)
    book.properties.created = book.properties.modified = dt.datetime(2025, 1, 1)
    book.save(SAMPLES / "sample-contacts.xlsx")


if __name__ == "__main__":
    write()
