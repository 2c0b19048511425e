"""Working again on a callback that was given up."""

from __future__ import annotations

from typing import Any

from contactsync.models import Callback
from contactsync.models.transitions import TransitionRefused


def try_again(callback: Callback) -> None:
    """Let it be worked on as if it had just come. Raises `TransitionRefused` when it was not given up (any more)."""
    anew: dict[str, Any] = {"state": Callback.State.RECEIVED, "attempts": 0, "not_before": None, "handled_at": None}
    if not Callback.objects.filter(pk=callback.pk, state=Callback.State.FAILED).update(**anew):
        raise TransitionRefused(f"Callback {callback.pk} did not fail.")
    callback.refresh_from_db()
