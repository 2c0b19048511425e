"""The page of a phonebook that says what goes to which place at the provider, and lets people choose."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contactsync.admin.common import link, may, require, say
from contactsync.admin.forms.places import PlacesForm, lines, other_fields
from contactsync.models import Phonebook
from contactsync.models.reasons import describe
from contactsync.sync import places
from contactsync.sync.connect import Misconfigured, capabilities


class PlacesMixin:
    """`<id>/places/` of a phonebook: everybody who sees the phonebook reads it, who may change it saves."""

    admin_site: Any
    opts: Any
    row: Any
    name_of: Any
    log_change: Any

    def get_urls(self) -> list[URLPattern]:
        def on_row(request: HttpRequest, object_id: int) -> HttpResponse:
            return self.places_view(request, self.row(request, object_id))

        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(on_row))
        return [
            path("<int:object_id>/places/", view, name=self.name_of("places")),
            *super().get_urls(),
        ]

    def places_view(self, request: HttpRequest, book: Phonebook) -> HttpResponse:
        """What goes where; a POST saves it."""
        if request.method == "POST":
            require(request, "change_phonebook")
        try:
            limits = capabilities(book.account)
        except Misconfigured as error:
            say(request, error.reason, level=messages.WARNING)
            return HttpResponseRedirect(link(book))
        plan = places.propose(book)
        others = other_fields(limits, plan) if limits.option_identity != "id" else []
        form = PlacesForm(
            [*plan.rows, *plan.left_out, *others],
            limits,
            request.POST if request.method == "POST" else None,
            may_change=may(request.user, "change_phonebook"),
        )
        if form.is_bound and self._saved(request, book, form):
            return HttpResponseRedirect(link(book, "places"))
        return self._places_page(request, book, plan, form, others=others)

    def _saved(self, request: HttpRequest, book: Phonebook, form: PlacesForm) -> bool:
        if not form.is_of_now:
            form.add_error(None, _("The options of this phonebook have changed meanwhile. Reload the page."))
        if not form.is_valid():
            return False
        try:
            places.save(book, form.cleaned_data)
        except places.PlacesRefused as refused:
            form.add_error(None, str(refused))
            return False
        self.log_change(request, book, _("Places at the provider"))
        say(request, _("The places are saved. The next push shows in its plan what goes there."))
        return True

    def _places_page(
        self, request: HttpRequest, book: Phonebook, plan: places.PlacePlan, form: PlacesForm, *, others: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": book,
            "title": _("Places of “%(phonebook)s” at the provider") % {"phonebook": book},
            "identity": capabilities(book.account).option_identity,
            "plan": plan,
            "form": form,
            "placed": lines(plan.rows, form),
            "left_out": lines(plan.left_out, form),
            "others": lines(others, form),
            "warnings": [describe(why) for why in plan.warnings],
            "free": plan.free,
            "broken": [(campaign, link(campaign), names) for campaign, names in plan.broken],
            "may_save": bool(form.fields) and may(request.user, "change_phonebook"),
            "see_campaigns": may(request.user, "view_campaign"),
        }
        return TemplateResponse(request, "admin/contactsync/phonebook/places.html", context)
