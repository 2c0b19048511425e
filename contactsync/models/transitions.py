"""State machines as tables, enforced in the WHERE clause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class TransitionRefused(Exception):
    """The row was not in a state from which this transition is allowed; somebody else was first, or it is not allowed at all."""


class StepRefused(TransitionRefused):
    """A refusal whose text is written for the person who asked, in the active language."""


def transition(
    row: M, to: str, *, table: Mapping[Any, frozenset[Any]], state_field: str = "state", **changes: Any
) -> M:
    """Move `row` to state `to` with one UPDATE that also checks where it comes from.

    `table` maps each state to the states it may be entered from. `changes` are set in the same
    statement. The row in memory is updated too. Raises `TransitionRefused` when no row matched.
    """
    allowed_from = table[to]
    changed = (
        type(row)
        ._default_manager.filter(pk=row.pk, **{f"{state_field}__in": allowed_from})
        .update(**{state_field: to}, **changes)
    )
    if changed != 1:
        raise TransitionRefused(
            f"{row._meta.object_name} {row.pk} cannot become {to}: it is not {', '.join(sorted(allowed_from))}."
        )
    setattr(row, state_field, to)
    for name, value in changes.items():
        setattr(row, name, value)
    return row
