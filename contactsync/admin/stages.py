"""The steps of long work, as the line at the top of each page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from contactsync.models import Campaign, ImportJob, Run


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: `place` is "done", "current" or "ahead"."""

    label: str
    place: str
    url: str = ""


def _line(labels: list[str], current: int) -> list[Stage]:
    return [Stage(label, _place(index, current)) for index, label in enumerate(labels)]


def _place(index: int, current: int) -> str:
    if index < current:
        return "done"
    return "current" if index == current else "ahead"


def of_import(job: ImportJob | None, *, current: str = "") -> list[Stage]:
    """Upload, columns, check, result."""
    labels = [_("Upload"), _("Columns"), _("Check"), _("Result")]
    state = ImportJob.State
    if job is None:
        return _line(labels, 0)
    if current == "columns" or job.state == state.UPLOADED:
        return _line(labels, 1)
    if job.state in {state.CHECKING, state.CHECKED}:
        return _line(labels, 2)
    return _line(labels, 4 if job.state == state.APPLIED else 3)


def of_run(run: Run) -> list[Stage]:
    """Plan, approval, work, result."""
    labels = [_("Plan"), _("Approval"), _("Work"), _("Result")]
    state = Run.State
    places = {
        state.PLANNING: 0,
        state.PLANNED: 1,
        state.QUEUED: 2,
        state.RUNNING: 2,
        state.STOPPING: 2,
        state.PAUSED: 2,
    }
    return _line(labels, places.get(state(run.state), 4 if run.state == state.FINISHED else 3))


def of_campaign(campaign: Campaign | None) -> list[Stage]:
    """Write, prepare, send, report."""
    labels = [_("Write"), _("Prepare"), _("Send"), _("Report")]
    state = Campaign.State
    if campaign is None:
        return _line(labels, 0)
    places = {
        state.DRAFT: 0,
        state.PREPARING: 1,
        state.PREPARED: 1,
        state.SENDING: 2,
        state.STOPPING: 2,
        state.PAUSED: 2,
        state.STOPPED: 2,
        state.WAITING: 2,
        state.SCHEDULED: 2,
    }
    return _line(labels, places.get(state(campaign.state), 3))
