"""What every page of long work shares: rows that only services change, and pages by state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from contactsync.admin.common import ScreenAdmin, may, say
from contactsync.models.transitions import StepRefused, TransitionRefused


@contextmanager
def in_plain_words(request: HttpRequest, row: Any) -> Iterator[None]:
    """Turn a refused transition of `row` into a message that says how the row stands now."""
    try:
        yield
    except StepRefused as refused:
        say(request, str(refused), level=messages.WARNING)
    except TransitionRefused:
        row.refresh_from_db(fields=["state"])
        say(
            request,
            _(
                "Somebody else was faster: the state is now “%(state)s”, so nothing was done. "
                "Look at the page as it is now, and choose again."
            )
            % {"state": row.get_state_display()},
            level=messages.WARNING,
        )


class FlowAdmin(ScreenAdmin):
    """A screen whose rows are made and moved by services: people read it and press buttons.

    Beside `steps` (POST), `readings` name methods `<name>_view(request, row)` that answer to GET only.
    """

    readings: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [self._reading(name) for name in self.readings] + super().get_urls()

    def _reading(self, name: str) -> URLPattern:
        view = getattr(self, f"{name}_view")

        def on_row(request: HttpRequest, object_id: int) -> HttpResponse:
            answer: HttpResponse = view(request, self.row(request, object_id))
            return answer

        return self.page_path(f"<int:object_id>/{name}/", require_GET(on_row), name)

    def page_path(self, route: str, view: Any, name: str) -> URLPattern:
        """A path of this screen behind the admin's login."""
        found: URLPattern = path(route, self.admin_site.admin_view(view), name=self.name_of(name))
        return found

    def page(self, request: HttpRequest, template: str, row: Model | None, **context: Any) -> TemplateResponse:
        """One of our pages inside the admin."""
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            f"admin/contactsync/{self.opts.model_name}/{template}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "original": row,
                "title": str(row) if row else capfirst(self.opts.verbose_name_plural),
                **context,
            },
        )


def require_any(request: HttpRequest, *permissions: str) -> None:
    """Answer 403 unless the person has one of these permissions of the app."""
    if not any(may(request.user, permission) for permission in permissions):
        raise PermissionDenied
