"""Notices that this database is older than what has left for the providers, and lets nothing out until a person has compared.

Somebody may restore yesterday's backup although calls of today have left: what the database then calls planned would go
out twice. So every call is counted in the database, in the transaction that puts it on the wire, and then told to the
logbook, a file outside the database, before its first byte. Both ends move with every claim; nothing is reserved ahead,
because a backup taken within a reserved block could not be told from a worker that was killed within it.

    killed after the commit, before the line: the logbook is behind, no call has left, nothing is noticed, nothing is lost
    killed after the line:                    both are equal; the sweep calls the call unknown
    database restored to before the claim:    the logbook is ahead, and calls are held back

Where each machine has a logbook of its own, the first that notices says so in the database, for all of them.
"""

from __future__ import annotations

from contactsync.sync.guard.clearing import begin_anew, clear, look, remember
from contactsync.sync.guard.departures import leaving
from contactsync.sync.guard.findings import Finding, HeldBack, finding, moment, why_held_back

__all__ = [
    "Finding",
    "HeldBack",
    "begin_anew",
    "clear",
    "finding",
    "leaving",
    "look",
    "moment",
    "remember",
    "why_held_back",
]
