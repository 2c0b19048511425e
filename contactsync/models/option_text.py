"""Asking the database for the value of one custom option."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast


class OptionText(Func):
    """The value of one option of a contact, as text. Django's own key lookups take a numeric key for a place in an array."""

    output_field = TextField()

    def __init__(self, option_id: int) -> None:
        self.option_id = int(option_id)
        super().__init__(F("options"))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return (
            Func(F("options"), Value(f'$."{self.option_id}"'), function="JSON_EXTRACT")
            .resolve_expression(compiler.query)
            .as_sql(compiler, connection)
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        key = Cast(Value(str(self.option_id)), TextField())
        return (
            Func(F("options"), key, template="(%(expressions)s)", arg_joiner=" ->> ")
            .resolve_expression(compiler.query)
            .as_sql(compiler, connection)
        )
