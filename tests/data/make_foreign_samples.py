"""Writes the sample files of the other countries: `python -m tests.data.make_foreign_samples`. The same seed gives the same files.

Every person is made up. The German numbers are of the ranges kept free for films, the Australian ones begin as those do;
the Italian and Spanish ones have a run of zeros where no subscriber has one.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Callable
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "contactsync" / "samples"

#: rows of each file: good ones, then numbers that come again, then numbers that are none
ROWS_AU = {"good": 54, "duplicate": 3, "refused": 3}
ROWS_DE = {"good": 110, "duplicate": 5, "refused": 5}
ROWS_WHATSAPP = {"good": 44, "duplicate": 3, "refused": 3}

HEADER_AU = ["First name", "Last name", "Mobile", "Company", "Suburb", "Membership", "Renewal date"]
HEADER_DE = ["Anrede", "Vorname", "Nachname", "Handynummer", "E-Mail", "Ort", "Kundennummer", "Geburtstag"]
HEADER_WHATSAPP = ["Nome", "Telefono", "Città", "Interessi", "Compleanno", "E-mail", "Responsabile", "Consenso"]

PEOPLE_AU = (
    ["Olivia", "Noah", "Charlotte", "Jack", "Isla", "Oliver", "Mia", "Leo", "Ruby", "Hugo", "Matilda", "Angus"],
    ["Nguyen", "Smith", "O'Brien", "Singh", "Papadopoulos", "Wilson", "Murray", "Kelly", "Tran", "McKenzie"],
)
PEOPLE_DE = (
    ["Jürgen", "Anna", "Björn", "Käthe", "Lukas", "Sophie", "Günther", "Änne", "Felix", "Marlene", "Søren", "Zoë"],
    ["Müller", "Weiß", "Schröder", "Yilmaz", "Großmann", "Köhler", "Öztürk", "Vogt", "Lange"],
)
PEOPLE_WHATSAPP = (
    ["Giulia", "Niccolò", "Lucía", "José", "Chiara", "Begoña", "Matteo", "Íñigo", "Noemí", "Alessia", "Andrés"],
    ["D'Angelo", "Núñez", "Rossi", "Muñoz", "Lo Presti", "García", "Pérez", "Bianchi", "Ibáñez", "Forlì"],
)
REFUSED = ("", "12", "k.A.", "0491", "n/a")

Row = list[str]


def _au_number(n: int, way: int) -> str:
    digits = f"570{n:03d}"
    return [f"0491 {digits[:3]} {digits[3:]}", f"+61491{digits}", f"61491{digits}", f"0491{digits}"][way % 4]


def _de_number(n: int, way: int) -> str:
    tail = f"04069{n:03d}"
    return [f"0176 {tail}", f"+49176{tail}", f"0049 176 {tail}", f"0176/{tail}"][way % 4]


def _whatsapp_number(n: int, way: int) -> str:
    if n % 2:
        return [f"+34 600 000 {n:03d}", f"0034600000{n:03d}", f"+34600000{n:03d}"][way % 3]
    return [f"320 0000{n:03d}", f"+39 320 0000{n:03d}", f"00393200000{n:03d}", f"3200000{n:03d}"][way % 4]


def _day(chance: random.Random, first: int, days: int) -> dt.date:
    return dt.date(first, 1, 1) + dt.timedelta(days=chance.randrange(days))


def _person_au(chance: random.Random, first: str, last: str, phone: str) -> Row:
    company = chance.choice(["", "", "Harbour Bakery", "Outback Gear Pty Ltd", "Kings & Sons"])
    suburb = chance.choice(["Newtown", "Fitzroy", "Fremantle", "Paddington", "Glenelg"])
    level = chance.choice(["Bronze", "Silver", "Gold"])
    return [first, last, phone, company, suburb, level, _day(chance, 2026, 700).isoformat()]


def _person_de(chance: random.Random, first: str, last: str, phone: str) -> Row:
    mail = f"kunde{chance.randrange(1000)}@example.org" if chance.random() < 0.5 else ""
    city = chance.choice(["Köln", "München", "Düsseldorf", "Groß-Gerau", "Berlin"])
    title = chance.choice(["Herr", "Frau", ""])
    return [
        title,
        first,
        last,
        phone,
        mail,
        city,
        str(chance.randrange(10_000, 99_999)),
        f"{_day(chance, 1955, 17_000):%d.%m.%Y}",
    ]


def _person_whatsapp(chance: random.Random, first: str, last: str, phone: str) -> Row:
    interests = "; ".join(sorted(chance.sample(["Vini", "Viaggi", "Moda"], chance.randrange(0, 3))))
    consent = _day(chance, 2025, 600).isoformat() if chance.random() < 0.8 else ""
    mail = f"cliente{chance.randrange(1000)}@example.org"
    city = chance.choice(["Forlì", "Roma", "Sevilla", "A Coruña", "Milano"])
    agent = chance.choice(["agente@example.org", ""])
    return [f"{first} {last}", phone, city, interests, _day(chance, 1960, 14_000).isoformat(), mail, agent, consent]


def _rows(
    seed: int,
    counts: dict[str, int],
    people: tuple[list[str], list[str]],
    number: Callable[[int, int], str],
    person: Callable[[random.Random, str, str, str], Row],
) -> list[Row]:
    chance = random.Random(seed)

    def one(phone: str) -> Row:
        return person(chance, chance.choice(people[0]), chance.choice(people[1]), phone)

    numbers = chance.sample(range(counts["good"] + 30), counts["good"])
    rows = [one(number(n, place)) for place, n in enumerate(numbers)]
    for place, n in enumerate(chance.sample(numbers, counts["duplicate"])):
        rows.append(one(number(n, place + 1)))
    rows += [one(REFUSED[place]) for place in range(counts["refused"])]
    return rows


def as_csv(header: Row, rows: list[Row], delimiter: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue()


def files() -> dict[str, bytes]:
    """Name and content of every file made here."""
    au = _rows(61, ROWS_AU, PEOPLE_AU, _au_number, _person_au)
    de = _rows(49, ROWS_DE, PEOPLE_DE, _de_number, _person_de)
    whatsapp = _rows(39, ROWS_WHATSAPP, PEOPLE_WHATSAPP, _whatsapp_number, _person_whatsapp)
    return {
        "sample-contacts-au.csv": as_csv(HEADER_AU, au, ",").encode(),
        "sample-contacts-de.csv": as_csv(HEADER_DE, de, ";").encode("cp1252"),
        "sample-contacts-whatsapp.csv": as_csv(HEADER_WHATSAPP, whatsapp, ",").encode("utf-8-sig"),
    }


def write() -> None:
    for name, content in files().items():
        (SAMPLES / name).write_bytes(content)


if __name__ == "__main__":
    write()
