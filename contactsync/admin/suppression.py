"""Numbers that get no message from us."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contactsync.admin.common import ScreenAdmin, confirm, person, say
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.search import by_number, with_words
from contactsync.models import Suppression
from contactsync.models.bulk import Inserter
from contactsync.models.listed import among_ids
from contactsync.phone import PHONE_MESSAGES, parse_phone
from contactsync.sync.accounts import default_region
from contactsync.templatetags.contactsync import ltr, number, when
from contactsync.text import clean

AT_ONCE = 2000


class SuppressionForm(forms.ModelForm[Suppression]):
    """A number in any usual form, and why."""

    phone = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=100,
        help_text=gettext_lazy("In any usual form; kept in international form."),
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "ltr", "inputmode": "tel"}),
    )

    class Meta:
        model = Suppression
        fields = ("phone", "reason")

    def clean_phone(self) -> str:
        verdict = parse_phone(self.cleaned_data["phone"], default_region())
        if not verdict.is_valid:
            raise ValidationError(_(PHONE_MESSAGES[verdict.code]))
        return verdict.e164

    def clean_reason(self) -> str:
        return clean(self.cleaned_data["reason"])


def take_off(suppressed: QuerySet[Suppression], *, user: User) -> int:
    """Take these numbers off the list, a part at a time, each with who did it in the log. Returns how many."""
    shared = {
        "user": user.pk, "content_type": ContentType.objects.get_for_model(Suppression).pk, "action_flag": DELETION
    }  # fmt: skip
    log, taken = Inserter(LogEntry, ["object_id", "object_repr"], shared=shared), 0
    while rows := list(suppressed.order_by("pk")[:AT_ONCE]):
        with transaction.atomic():
            log.insert([(str(row.pk), str(row)) for row in rows])
            Suppression.objects.filter(pk__in=among_ids([row.pk for row in rows])).delete()
        taken += len(rows)
    return taken


@admin.register(Suppression)
class SuppressionAdmin(DownloadMixin, ScreenAdmin):
    """Suppression wins over every phonebook, import and campaign."""

    change_list_template = "admin/contactsync/suppression/change_list.html"
    download_columns = (
        (gettext_lazy("phone number"), lambda suppression: suppression.phone),
        (gettext_lazy("reason"), lambda suppression: suppression.reason),
        (gettext_lazy("since"), lambda suppression: suppression.since),
        (gettext_lazy("source"), lambda suppression: suppression.get_source_display()),
    )
    form = SuppressionForm
    actions = ("take_off",)
    list_display = ("number", "reason_text", "source", "since_text")
    list_filter = ("source",)
    sorted_by_index = ("number",)
    search_fields = ("phone", "reason")
    search_help_text = gettext_lazy("A number in any form, or a word of the reason.")

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> tuple[str, ...]:
        return ("phone", "reason", "source", "since_text") if obj else ("phone", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Suppression | None = None) -> tuple[str, ...]:
        return ("source", "since_text") if obj else ()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        numbers = by_number(queryset, search_term)
        return (with_words(queryset, "reason", clean(search_term)) if numbers is None else numbers), False

    @admin.action(description=gettext_lazy("Take off the suppression list"), permissions=["delete"])
    def take_off(self, request: HttpRequest, suppressed: QuerySet[Suppression]) -> HttpResponse | None:
        """Ask, then let campaigns write to these numbers again."""
        count = suppressed.count()
        question = ngettext(
            "Take %(count)s number off the suppression list?", "Take %(count)s numbers off the suppression list?", count
        )
        page = confirm(
            self,
            request,
            suppressed,
            title=_("Take off the suppression list"),
            question=question % {"count": number(count)},
            facts=[_("Campaigns can send to these numbers again.")],
            button=_("Take them off"),
            danger=True,
        )
        if page is not None:
            return page
        taken = take_off(suppressed, user=person(request))
        done = ngettext(
            "%(count)s number is not on the suppression list any more.",
            "%(count)s numbers are not on the suppression list any more.",
            taken,
        )
        say(request, done % {"count": number(taken)})
        return None

    @admin.display(description=gettext_lazy("phone number"), ordering="phone")
    def number(self, suppression: Suppression) -> str:
        return ltr(suppression.phone)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def reason_text(self, suppression: Suppression) -> str:
        return suppression.reason_text

    @admin.display(description=gettext_lazy("since"), ordering="since")
    def since_text(self, suppression: Suppression) -> str:
        return when(suppression.since)
