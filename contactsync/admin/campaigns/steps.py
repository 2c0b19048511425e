"""The buttons of a campaign: each asks one service, and says what happened and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync import work
from contactsync.admin import progress
from contactsync.admin.calls import outcome_lists
from contactsync.admin.campaigns.recipients import export_recipients
from contactsync.admin.common import link, person, require, say
from contactsync.admin.flow import FlowAdmin, in_plain_words, require_any
from contactsync.campaigns import lifecycle
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Campaign
from contactsync.templatetags.contactsync import number


class CampaignSteps(FlowAdmin):
    """What can be done to a campaign at `<id>/<step>/`, by POST, and read of it, by GET."""

    steps = ("prepare", "draft", "send", "stop", "resume", "cancel", "leave", "refresh")
    readings = ("progress", "export")

    def prepare_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Freeze the audience in the background. Nothing is sent."""
        require(request, "change_campaign")
        return self.prepare(request, campaign)

    def prepare(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Ask for it, and go to the page that shows how far it is."""
        self._do(request, campaign, lambda: work.prepare_campaign(campaign, user=person(request)))
        return self.back(campaign)

    def draft_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Take a prepared campaign back to be edited."""
        require(request, "change_campaign")
        self._do(
            request,
            campaign,
            lambda: lifecycle.back_to_draft(campaign),
            _("The campaign is a draft again. Nothing was sent."),
        )
        return self.back(campaign)

    def send_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Send to exactly the audience that was shown."""
        require(request, "send_campaign")
        people = campaign.summary.get("recipients", 0)
        self._do(
            request,
            campaign,
            lambda: work.send_campaign(
                campaign, user=person(request), audience_hash=request.POST.get("audience_hash", "")
            ),
            ngettext(
                "The campaign is on its way to %(count)s person. You may close this page.",
                "The campaign is on its way to %(count)s people. You may close this page.",
                people,
            )
            % {"count": number(people)},
        )
        return self.back(campaign)

    def stop_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Stop handing messages over. Everybody who may write campaigns may stop one."""
        require_any(request, "send_campaign", "change_campaign")
        self._do(
            request,
            campaign,
            lambda: work.stop_campaign(campaign),
            _(
                "No further messages are handed over. The call in progress is finished first; then the exact numbers appear here."
            ),
        )
        return self.back(campaign)

    def resume_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Go on with the people who have not been written to."""
        require(request, "send_campaign")
        self._do(
            request,
            campaign,
            lambda: work.resume_campaign(campaign, user=person(request), at_once=request.POST.get("at_once") == "yes"),
            _("The campaign continues where it stopped."),
        )
        return self.back(campaign)

    def cancel_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Take a scheduled campaign back, at the provider where it has it."""
        require(request, "send_campaign")
        if campaign.state == Campaign.State.WAITING:
            done = _("The campaign is cancelled. Nobody got the message.")
            self._do(request, campaign, lambda: work.cancel_campaign(campaign), done)
            return self.back(campaign)
        mark = progress.cancel_mark()
        if not self._do(request, campaign, lambda: work.cancel_campaign(campaign)):
            return self.back(campaign)
        return HttpResponseRedirect(f"{link(campaign)}?cancel_since={mark}")

    def leave_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Close a stopped campaign, or one that waits for a decision, as it is."""
        require(request, "send_campaign")
        self._do(
            request,
            campaign,
            lambda: work.leave_unsent(campaign, user=person(request)),
            _("The campaign stays as it is. Nobody else gets the message."),
        )
        return self.back(campaign)

    def refresh_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Read the provider's report now; the page shows it as soon as it is there."""
        require_any(request, "send_campaign", "change_campaign")
        self._do(request, campaign, lambda: work.refresh_report(campaign))
        return HttpResponseRedirect(f"{link(campaign)}?read_since={progress.report_mark(campaign)}")

    def _do(self, request: HttpRequest, campaign: Campaign, service: Callable[[], Any], said: str = "") -> bool:
        """Call one service and report its result as a message. False when it was refused; then nothing has changed."""
        with in_plain_words(request, campaign):
            try:
                with transaction.atomic():
                    service()
            except CampaignProblem as problem:
                for line in problem.messages:
                    say(request, line, level=messages.ERROR)
            else:
                if said:
                    say(request, said)
                return True
        return False

    # Readings

    def progress_view(self, request: HttpRequest, campaign: Campaign) -> JsonResponse:
        if "read_since" in request.GET:
            return progress.of_report(campaign, request.GET["read_since"]).answer()
        if "cancel_since" in request.GET:
            return progress.of_cancellation(campaign, request.GET["cancel_since"]).answer()
        if campaign.state == Campaign.State.WAITING:
            return progress.of_waiting(campaign).answer()
        shown = progress.of_campaign(campaign)
        lists = outcome_lists.of_campaign(request, campaign, shown.counts)
        return shown.answer({each.name: each.count for each in lists})

    def export_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
        """Every recipient as CSV or Excel."""
        require(request, "export_campaign")
        return export_recipients(campaign, request.GET.get("format", "csv"), request.GET.get("list", ""))
