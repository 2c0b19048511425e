"""What can be done with chosen contacts: push, pull, delete, add again, write to, suppress."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contactsync.admin.common import confirm, link, may, person, say
from contactsync.admin.contacts import renumbering
from contactsync.admin.runs import planning
from contactsync.models import Campaign, CampaignTarget, Contact, Phonebook, Suppression
from contactsync.models.bulk import Inserter
from contactsync.sync.lifecycle import mark_for_readding
from contactsync.templatetags.contactsync import day_in_words, number
from contactsync.text import clean

CHUNK = 2000


class SuppressReasonForm(forms.Form):
    """Why, for those who wonder later."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


def books_of(contacts: QuerySet[Contact]) -> QuerySet[Phonebook]:
    """The phonebooks of these contacts."""
    return Phonebook.objects.filter(pk__in=contacts.order_by().values("phonebook_id")).select_related("account")


def draft_campaign(contacts: QuerySet[Contact], *, user: Any) -> Campaign:
    """A draft to these contacts: one target for each phonebook. Raises `ValueError` for contacts of several accounts or none."""
    books = list(books_of(contacts))
    accounts = {book.account_id for book in books}
    if len(accounts) != 1:
        raise ValueError(
            _(
                "The contacts are in phonebooks of several accounts. A campaign is sent through one account; choose again."
            )
            if accounts
            else _("None of the chosen contacts exists any more.")
        )
    with transaction.atomic():
        campaign = Campaign.objects.create(
            title=_("Chosen contacts, %(date)s") % {"date": day_in_words(timezone.localdate())},
            account=books[0].account,
            message="",
            created_by=user,
        )
        through = CampaignTarget.contacts.through
        for book in books:
            target = CampaignTarget.objects.create(campaign=campaign, phonebook=book, type=CampaignTarget.Type.DETAIL)
            inserter = Inserter(through, ["contact"], shared={"campaigntarget": target.pk})
            ids = contacts.filter(phonebook=book).order_by("pk").values_list("pk").iterator(chunk_size=CHUNK)
            while some := list(islice(ids, CHUNK)):
                inserter.insert(some)
    return campaign


def suppress(contacts: QuerySet[Contact], *, reason: str) -> int:
    """Put the numbers on the suppression list. Returns how many were not on it yet."""
    before = Suppression.objects.count()
    phones = contacts.order_by().values_list("phone", flat=True).distinct().iterator(chunk_size=CHUNK)
    while some := list(islice(phones, CHUNK)):
        rows = [Suppression(phone=phone, reason=reason, source=Suppression.Source.PERSON) for phone in some]
        Suppression.objects.bulk_create(rows, ignore_conflicts=True)
    return Suppression.objects.count() - before


class ContactActions:
    """The actions of the list of contacts. Deleted contacts are left out of all but the downloads."""

    actions = ("push_books", "pull_books", "send_to", "add_again", "make_new", "suppress_numbers", "delete_everywhere")

    def has_push_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "push_phonebook")

    def has_renumber_permission(self, request: HttpRequest) -> bool:
        """Only where a provider cannot change numbers: everywhere else the number is simply corrected."""
        return self.has_push_permission(request) and bool(renumbering.accounts_with_fixed_numbers())

    def has_campaign_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "add_campaign")

    def has_suppress_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "add_suppression")

    @admin.action(description=gettext_lazy("Push their phonebooks to the provider"), permissions=["push"])
    def push_books(self, request: HttpRequest, contacts: Any) -> HttpResponse:
        return planning.push(request, books_of(contacts), back=request.get_full_path())

    @admin.action(description=gettext_lazy("Pull the state of their phonebooks"), permissions=["push"])
    def pull_books(self, request: HttpRequest, contacts: Any) -> HttpResponse:
        return planning.pull(request, books_of(contacts), back=request.get_full_path())

    @admin.action(description=gettext_lazy("Write a campaign to them"), permissions=["campaign"])
    def send_to(self, request: HttpRequest, contacts: Any) -> HttpResponse | None:
        try:
            campaign = draft_campaign(contacts.filter(deleted_at=None), user=person(request))
        except ValueError as error:
            say(request, str(error), level=messages.WARNING)
            return None
        say(request, _("A draft to the chosen contacts was made. Nothing is sent yet: write the message next."))
        return HttpResponseRedirect(link(campaign))

    @admin.action(description=gettext_lazy("Mark to be added again"), permissions=["push"])
    def add_again(self, request: HttpRequest, contacts: Any) -> HttpResponse | None:
        states = (Contact.SyncState.MISSING, Contact.SyncState.FAILED)
        wanted = contacts.filter(deleted_at=None, sync_state__in=states)
        count = wanted.count()
        if not count:
            say(
                request,
                _("None of these contacts was deleted or refused by the provider, so there is nothing to add again."),
                level=messages.WARNING,
            )
            return None
        question = ngettext(
            "Let the next push add %(count)s contact again?", "Let the next push add %(count)s contacts again?", count
        )
        asked = confirm(
            self,  # type: ignore[arg-type]
            request,
            wanted,
            title=_("Add again"),
            question=question % {"count": number(count)},
            facts=[
                _("Only contacts that are gone at the provider or were refused by it."),
                _("Nothing goes to the provider now; the next push shows its plan first."),
            ],
            button=_("Mark them"),
        )
        if asked:
            return asked
        marked = mark_for_readding(wanted)
        done = ngettext("%(count)s contact is marked.", "%(count)s contacts are marked.", marked)
        say(request, done % {"count": number(marked)})
        return None

    @admin.action(description=gettext_lazy("Make a new contact"), permissions=["renumber"])
    def make_new(self, request: HttpRequest, contacts: Any) -> HttpResponse | None:
        return renumbering.ask(self, request, contacts)  # type: ignore[arg-type]

    @admin.action(description=gettext_lazy("Send them no more messages"), permissions=["suppress"])
    def suppress_numbers(self, request: HttpRequest, contacts: Any) -> HttpResponse | None:
        count = contacts.count()
        form = SuppressReasonForm(request.POST if request.POST.get("confirmed") else None)
        question = ngettext(
            "Put %(count)s number on the suppression list?", "Put %(count)s numbers on the suppression list?", count
        )
        asked = confirm(
            self,  # type: ignore[arg-type]
            request,
            contacts,
            title=_("Suppress numbers"),
            question=question % {"count": number(count)},
            facts=[_("No campaign sends to these numbers any more, whatever phonebook they are in.")],
            button=_("Suppress"),
            danger=True,
            fields=form,
        )
        if asked:
            return asked
        added = suppress(contacts, reason=clean(form.cleaned_data["reason"]))
        done = ngettext(
            "%(count)s number was put on the suppression list.",
            "%(count)s numbers were put on the suppression list.",
            added,
        )
        say(request, done % {"count": number(added)})
        return None

    @admin.action(description=gettext_lazy("Delete here and at the provider"), permissions=["delete"])
    def delete_everywhere(self, request: HttpRequest, contacts: Any) -> HttpResponse:
        return planning.delete(request, contacts, back=request.get_full_path())
