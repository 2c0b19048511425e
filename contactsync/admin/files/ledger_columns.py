"""What the files of runs, calls and imports hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from contactsync.admin.words import operation_label

Columns = Sequence[tuple[Any, Callable[[Any], Any]]]


def _count(name: str) -> Callable[[Any], Any]:
    return lambda row: row.counts.get(name, "")


RUNS: Columns = (
    (_("run"), lambda run: run.pk),
    (_("kind"), lambda run: run.get_kind_display()),
    (_("account"), lambda run: run.account.name),
    (_("about"), lambda run: run.about),
    (_("state"), lambda run: run.get_state_display()),
    (_("reason"), lambda run: run.error_text),
    (_("done"), _count("done")),
    (_("failed"), _count("failed")),
    (_("outcome not known"), _count("unknown")),
    (_("not attempted"), _count("not_attempted")),
    (_("planned by"), lambda run: run.created_by or ""),
    (_("approved by"), lambda run: run.approved_by or ""),
    (_("planned at"), lambda run: run.created_at),
    (_("started at"), lambda run: run.started_at),
    (_("finished at"), lambda run: run.finished_at),
)
#: without request and answer: those are read on the page of a call
CALLS: Columns = (
    (_("call"), lambda call: call.pk),
    (_("run"), lambda call: call.run_id),
    (_("operation"), lambda call: operation_label(call.operation)),
    (_("items"), lambda call: call.item_count),
    (_("state"), lambda call: call.get_state_display()),
    (_("reason"), lambda call: call.error_text),
    (_("HTTP status"), lambda call: call.status),
    (_("attempts"), lambda call: call.attempts),
    (_("references of the provider"), lambda call: ", ".join(map(str, call.references))),
    (_("request id of the provider"), lambda call: call.provider_request_id),
    (_("started at"), lambda call: call.started_at),
    (_("seconds"), lambda call: call.seconds),
)
IMPORTS: Columns = (
    (_("file name"), lambda job: job.file_name),
    (_("where to"), lambda job: job.place),
    (_("state"), lambda job: job.get_state_display()),
    (_("reason"), lambda job: job.error_text),
    (_("rows"), lambda job: job.total_rows),
    (_("new"), _count("created")),
    (_("updated"), _count("updated")),
    (_("unchanged"), _count("unchanged")),
    (_("skipped"), _count("skipped")),
    (_("repeated"), _count("duplicate")),
    (_("rejected"), _count("rejected")),
    (_("mode"), lambda job: job.get_mode_display()),
    (_("uploaded by"), lambda job: job.created_by or ""),
    (_("uploaded at"), lambda job: job.created_at),
    (_("finished at"), lambda job: job.finished_at),
)
