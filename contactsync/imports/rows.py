"""Many new rows in one prepared statement. To build a model instance for each takes several times as long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


class Inserter:
    """Writes rows of one model, inside the caller's transaction.

    `shared` holds what is the same in all rows, `names` the fields that differ, in the order of their values;
    every other field gets its default. Values are checked by nobody: they must be right already.
    """

    def __init__(self, model: type[Model], names: Sequence[str], *, shared: Mapping[str, Any]) -> None:
        fields = {field.name: field for field in model._meta.concrete_fields if not field.primary_key}
        self._varying = [fields.pop(name) for name in names]
        self._constant = [_prepared(field, shared.get(name, field.get_default())) for name, field in fields.items()]
        quote = connection.ops.quote_name
        columns = [quote(str(field.column)) for field in (*self._varying, *fields.values())]
        self._sql = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608 - the model's own names

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write the rows, in their order."""
        values = [(*map(_prepared, self._varying, row), *self._constant) for row in rows]
        if values:
            with connection.cursor() as cursor:
                cursor.executemany(self._sql, values)


def _prepared(field: Field[Any, Any], value: Any) -> Any:
    return value if type(value) is str else field.get_db_prep_save(value, connection)
