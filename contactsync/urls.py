"""Addresses: the admin is the application, and providers have one to call."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from contactsync.callback_view import called_back

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    # with or without the last slash: a redirect would lose the body
    re_path(r"^callbacks/(?P<key>[A-Za-z0-9_-]{1,64})(?:/(?P<reference>[A-Za-z0-9_-]{1,100}))?/?$", called_back),
]
