"""Every change of state, noted by the database itself, whoever makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from contactsync.models import Call, Campaign, Recipient, Run

_R = Recipient.State
#: state -> the states a recipient may come from: what the call that carries it may do, and a person before and after
RECIPIENT_TRANSITIONS: Mapping[Any, frozenset[Any]] = {
    _R.PLANNED: frozenset({_R.ON_WIRE, _R.NOT_SENT, _R.REFUSED}),
    _R.ON_WIRE: frozenset({_R.PLANNED}),
    _R.ACCEPTED: frozenset({_R.ON_WIRE, _R.UNKNOWN}),
    _R.REFUSED: frozenset({_R.ON_WIRE, _R.UNKNOWN}),
    _R.UNKNOWN: frozenset({_R.ON_WIRE}),
    _R.NOT_SENT: frozenset({_R.PLANNED, _R.UNKNOWN}),
    _R.EXCLUDED: frozenset({_R.PLANNED, _R.NOT_SENT, _R.REFUSED}),
}
TABLES: dict[type[models.Model], Mapping[Any, frozenset[Any]]] = {
    Run: Run.TRANSITIONS,
    Call: Call.TRANSITIONS,
    Campaign: Campaign.TRANSITIONS,
    Recipient: RECIPIENT_TRANSITIONS,
}


@dataclass(frozen=True)
class Move:
    """One row went from one state to another."""

    model: type[models.Model]
    row: int
    old: str
    new: str

    @property
    def is_allowed(self) -> bool:
        return self.old in TABLES[self.model][self.new]

    def __str__(self) -> str:
        return f"{self.model.__name__} {self.row}: {self.old} → {self.new}"


class Moves:
    """Notes from now on, until the transaction it is made in is taken back."""

    def __init__(self) -> None:
        self._seen = 0
        self._models = {model._meta.db_table: model for model in TABLES}
        sqlite = connection.vendor == "sqlite"
        with connection.cursor() as cursor:
            # No AUTOINCREMENT: its temporary `sqlite_sequence` would hide the one that `next_ids` reads.
            key = "id INTEGER PRIMARY KEY" if sqlite else "id serial"
            cursor.execute(f"CREATE TEMP TABLE moves ({key}, about text, pk integer, old text, new text)")
            if not sqlite:
                cursor.execute(
                    "CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO moves "
                    "(about, pk, old, new) VALUES (TG_TABLE_NAME, NEW.id, OLD.state, NEW.state); RETURN NEW; END $$"
                )
            for table in self._models:
                cursor.execute(self._sqlite(table) if sqlite else self._postgresql(table))

    @staticmethod
    def _sqlite(table: str) -> str:
        note = f"INSERT INTO moves (about, pk, old, new) VALUES ('{table}', NEW.id, OLD.state, NEW.state)"  # noqa: S608
        when = f"AFTER UPDATE OF state ON {table} WHEN OLD.state <> NEW.state"
        return f"CREATE TEMP TRIGGER note_{table} {when} BEGIN {note}; END"

    @staticmethod
    def _postgresql(table: str) -> str:
        return (
            f"CREATE TRIGGER note_{table} AFTER UPDATE OF state ON {table} FOR EACH ROW "
            "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION pg_temp.note()"
        )

    def new(self) -> list[Move]:
        """Those since the last look."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, about, pk, old, new FROM moves WHERE id > %s ORDER BY id", [self._seen])
            rows = cursor.fetchall()
        self._seen = rows[-1][0] if rows else self._seen
        return [Move(self._models[about], pk, old, new) for _, about, pk, old, new in rows]
