"""What all screens share: lists that stay fast, buttons that POST, and a page that asks for confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

#: rows beyond this are not counted for a list; people narrow it down instead
COUNTED = 10_000
#: rows beyond this are sorted only by what has an index
SORTED = 50_000
#: digits of an id; more would not fit into the database's integers
LONGEST_ID = 18


class CappedPaginator(Paginator[Any]):
    """Counts at most `COUNTED` rows, so that a list of a million opens as quickly as one of a hundred."""

    @cached_property
    def count(self) -> int:
        return min(self._seen, COUNTED)

    @property
    def is_capped(self) -> bool:
        """More rows match than were counted."""
        return self._seen > COUNTED

    @cached_property
    def _seen(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[: COUNTED + 1].count()
        return len(rows)

    def page(self, number: Any) -> Page[Any]:
        """One page; where nothing was counted, nothing is looked for a second time."""
        found = super().page(number)
        if isinstance(self.object_list, QuerySet) and not self.count:
            found.object_list = self.object_list.none()
        return found


class QuickChangeList(ChangeList):
    """A list titled with the name of its model, which says “more than 10,000” instead of counting all rows."""

    is_capped = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_ordering_field(self, field_name: Any) -> Any:
        """Only offered columns sort: any other field in an address would sort a million rows without an index."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except OverflowError as error:  # the address filters by an id that SQLite has no integer for
            raise IncorrectLookupParameters(error) from error
        self.is_capped = getattr(self.paginator, "is_capped", False)
        if not self.result_count:
            self.result_list = self.queryset.none()


class ScreenAdmin(ModelAdmin):
    """One of our screens.

    `steps` name methods `<name>_view(request, row)` that answer to POST at `<id>/<name>/`, reached as
    `admin:contactsync_<model>_<name>`.
    """

    steps: tuple[str, ...] = ()
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    paginator = CappedPaginator
    show_facets = ShowFacets.NEVER
    #: columns by which also very many rows are sorted, as an index has them in order; None where there are never many
    sorted_by_index: tuple[str, ...] | None = None
    #: whether rows may be deleted from the list, many at once
    bulk_delete = False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Title the page with the row it shows."""
        if context.get("original"):
            context |= {"title": str(context["original"]), "subtitle": capfirst(self.opts.verbose_name)}
        return super().render_change_form(request, context, *args, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QuickChangeList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """No order that would sort a million rows for one page."""
        if self.sorted_by_index is None:
            return super().get_sortable_by(request)
        are_many = self.model._default_manager.order_by()[: SORTED + 1].count() > SORTED
        return self.sorted_by_index if are_many else super().get_sortable_by(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if not self.bulk_delete:
            actions.pop("delete_selected", None)
        return actions

    def get_urls(self) -> list[URLPattern]:
        return [self._step(name) for name in self.steps] + super().get_urls()

    def _step(self, name: str) -> URLPattern:
        view: Callable[[HttpRequest, Any], HttpResponse] = getattr(self, f"{name}_view")

        def on_row(request: HttpRequest, object_id: int) -> HttpResponse:
            return view(request, self.row(request, object_id))

        step = self.admin_site.admin_view(require_POST(on_row))

        def for_people(request: HttpRequest, object_id: int) -> Any:
            if self.admin_site.has_permission(request):
                return step(request, object_id)
            # after the login a browser comes with GET, which a step does not answer: it comes to the page of the row
            change = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return redirect_to_login(reverse(change, args=[object_id]), reverse("admin:login"))

        return path(f"<int:object_id>/{name}/", for_people, name=self.name_of(name))

    def name_of(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def row(self, request: HttpRequest, object_id: int | str) -> Any:
        """The row, or 403 for people who may not see it, or 404."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        found = self.get_object(request, str(object_id))
        if found is None:
            raise Http404(
                _("There is no %(kind)s with the number %(id)s.") % {"kind": self.opts.verbose_name, "id": object_id}
            )
        return found

    def back(self, row: Model) -> HttpResponseRedirect:
        """To the page of the row."""
        return HttpResponseRedirect(link(row))


def link(row: Model, page: str = "change") -> str:
    """Address of a page of a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def list_link(model: type[Model], **filters: Any) -> str:
    """Address of a list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def as_id(text: str) -> int | None:
    """The row id that an address or a form names; None for text that cannot be one."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_ID else None


def person(request: HttpRequest) -> User:
    """The user who made the request. The admin's views are open to nobody else."""
    return cast(User, request.user)


def require(request: HttpRequest, *permissions: str) -> None:
    """Answer 403 unless the person has all these permissions of the app."""
    if not all(may(request.user, permission) for permission in permissions):
        raise PermissionDenied


def may(user: Any, permission: str) -> bool:
    """Whether the person has this permission of the app."""
    return bool(user.has_perm(f"contactsync.{permission}"))


def confirm(
    screen: ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    title: str,
    question: str,
    button: str,
    facts: Sequence[str] = (),
    danger: bool = False,
    fields: Any = None,
) -> TemplateResponse | None:
    """The confirmation page of an action; None once the person has confirmed.

    Selections over all pages are repeated as such, with the filters of the list, not as a list of ids.
    """
    if request.POST.get("confirmed") == "yes" and (fields is None or fields.is_valid()):
        return None
    select_across = request.POST.get("select_across") == "1"
    request.current_app = screen.admin_site.name
    return TemplateResponse(
        request,
        "admin/contactsync/confirm.html",
        {
            **screen.admin_site.each_context(request),
            "opts": screen.opts,
            "title": title,
            "question": question,
            "facts": facts,
            "button": button,
            "danger": danger,
            "fields": fields,
            "action": request.POST.get("action", ""),
            "select_across": select_across,
            "selected": [] if select_across else request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "examples": rows[:10],
            "back_url": request.get_full_path(),
            "media": screen.media,
        },
    )


def say(request: HttpRequest, text: str, *, level: int = messages.SUCCESS) -> None:
    """One message on the next page."""
    messages.add_message(request, level, text)
