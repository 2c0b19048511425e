"""What the verdict on a row costs, cell by cell, beside the long way to the same verdict.

By hand, from the top of the repository:

    python -m tests.benchmarks.bench_verdicts 2000

The long way is that of the phone library, Django's validator, the JSON encoder, and of our own rules for what is not
plain. Both ways take turns on the same cells; of each, the fastest round counts (CPU time, µs for one cell or row).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

ROUNDS = 9


def cells(rows: int) -> dict[str, list[str]]:
    """Cells as people have them; few are repeated."""
    persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    days = [(1330 + n % 70, n % 12 + 1, n * 7 % 29 + 1) for n in range(rows)]
    return {
        "phone, national": [f"0912{n * 37 % 10**7:07d}" for n in range(rows)],
        "phone, +98": [f"+98935{n * 37 % 10**7:07d}" for n in range(rows)],
        "phone, spaced": [f"0912 {n % 1000:03d} {n * 37 % 10**4:04d}" for n in range(rows)],
        "phone, Persian digits": [f"0912{n * 37 % 10**7:07d}".translate(persian) for n in range(rows)],
        "phone, too short": [f"0912{n * 37 % 10**4:04d}" for n in range(rows)],
        "name, Persian": [f"رضا {n}" for n in range(rows)],
        "name, ي and ك": [f"كيانا علوي {n}" for n in range(rows)],
        "name, Latin": [f"Anna Maria {n}" for n in range(rows)],
        "e-mail": [f"anna.{n}@example.com" for n in range(rows)],
        "integer option": [str(n * 37) for n in range(rows)],
        "Jalali date option": [f"{year}/{month:02d}/{day:02d}" for year, month, day in days],
        "ISO date option": [f"{year + 621}-{month:02d}-{day:02d}" for year, month, day in days],
    }


def fastest(work: Callable[[str], Any], values: Sequence[Any]) -> tuple[float, float]:
    """µs for one value, the short way and the long way."""
    from tests.long_way import the_long_way

    def once() -> float:
        began = time.process_time()
        for value in values:
            work(value)
        return (time.process_time() - began) / len(values) * 1e6

    short, long = [], []
    for _ in range(ROUNDS):
        short.append(once())
        with the_long_way():
            long.append(once())
    return min(short), min(long)


def show(name: str, times: tuple[float, float]) -> None:
    short, long = times
    print(f"{name:24}{short:8.2f}{long:8.2f} {long / short:6.1f} ×")  # noqa: T201


def whole_rows(values: dict[str, list[str]], rows: int) -> tuple[Any, list[Any]]:
    """Seven columns, every twentieth row with a number that is too short."""
    from contactsync.imports.plan import OptionField, Place, Plan
    from contactsync.imports.read import Row

    columns = ["phone, national", "name, Persian", "name, Persian", "e-mail", "name, Persian"]
    columns += ["integer option", "Jalali date option"]
    fields = [("phone", None), ("first_name", None), ("last_name", None), ("email", None)]
    fields += [(f"option:{n}", OptionField(str(n), kind, ())) for n, kind in enumerate(("text", "integer", "date"))]
    places = tuple(Place(n, name, name, option) for n, (name, option) in enumerate(fields))
    plan = Plan("IR", places, len(places), dt.datetime.now(dt.UTC))
    found = [[values[name][n] for name in columns] for n in range(rows)]
    for n in range(0, rows, 20):
        found[n][0] = values["phone, too short"][n]
    return plan, [Row(n, n + 1, row) for n, row in enumerate(found, start=1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=2000)
    rows = parser.parse_args().rows
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from contactsync.imports.check import judge

    values = cells(rows)
    print(f"{rows} rows; µs     short    long")  # noqa: T201
    show_cells(values)
    plan, whole = whole_rows(values, rows)
    show("row of seven columns", fastest(lambda row: judge(row, plan), whole))
    show_fingerprints(rows)


def show_cells(values: dict[str, list[str]]) -> None:
    from contactsync.imports.cells import readers
    from contactsync.imports.judged import Judged
    from contactsync.imports.plan import OptionField, Place, Plan
    from contactsync.imports.read import Row

    for name, column in values.items():
        kind = name.split()[0].strip(",")
        field = {"phone": "phone", "name": "first_name", "e-mail": "email"}.get(kind, "option:1")
        option = OptionField("1", "integer" if kind == "integer" else "date", ()) if field == "option:1" else None
        plan = Plan("IR", (Place(0, "column", field, option),), 1, dt.datetime.now(dt.UTC))
        judged = Judged(Row(1, 2, []))

        def one_cell(raw: str, plan: Plan = plan, judged: Judged = judged) -> None:
            readers(plan)[0][1](judged, raw)

        show(name, fastest(one_cell, column))


def show_fingerprints(rows: int) -> None:
    from contactsync.fingerprint import contact_fingerprint, fingerprint

    nobody: dict[str, Any] = dict.fromkeys(("phone", "prefix", "first_name", "last_name", "company", "email"), "")
    nobody |= {"tags": [], "assigned_user": "", "note": "", "options": {"1": "رشت", "2": "500", "3": "1992-10-08"}}
    contacts = [{**nobody, "phone": f"+98912{n:07d}", "first_name": f"علی {n}"} for n in range(rows)]
    short, _ = fastest(lambda contact: contact_fingerprint(**contact), contacts)
    long, _ = fastest(lambda contact: fingerprint([*contact.values()]), contacts)
    show("fingerprint", (short, long))


if __name__ == "__main__":
    main()
