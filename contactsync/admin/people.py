"""Users and groups: who may do what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contactsync.admin.common import ScreenAdmin
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.templatetags.contactsync import listed, number, when

#: apps whose permissions a group can have; the others concern nothing that people see
APPS = ("contactsync", "auth")
#: models that nobody edits: only the permission to view them is offered
READ_ONLY = ("run", "runitem", "call", "recipient", "importissue", "importchange")
ACTIONS = {
    "add": _("add"),
    "change": _("change"),
    "delete": _("delete"),
    "view": _("see"),
    "push": _("push to the provider"),
    "send": _("send"),
    "export": _("download"),
    "undo": _("undo"),
}
#: the tables between users, groups and permissions, which mean nothing to people
LINKS = (User.groups.through, User.user_permissions.through, Group.permissions.through)

admin.site.unregister(User)
admin.site.unregister(Group)


def permission_label(permission: Permission) -> str:
    """“Contacts: see”, in the language of the page."""
    model = permission.content_type.model_class()
    what = capfirst(model._meta.verbose_name_plural) if model else permission.content_type.model
    action = ACTIONS.get(permission.codename.partition("_")[0])
    return f"{what}: {action}" if action else gettext(permission.name)


class PermissionChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return permission_label(obj)


def permissions() -> QuerySet[Permission]:
    """The permissions that matter here, by what they are about."""
    ledgers = Q(content_type__model__in=READ_ONLY) & ~Q(codename__startswith="view_")
    found = Permission.objects.filter(content_type__app_label__in=APPS).exclude(content_type__model="permission")
    found = found.exclude(ledgers)
    return found.select_related("content_type").order_by("content_type__app_label", "content_type__model", "codename")


class GroupForm(forms.ModelForm[Group]):
    permissions = PermissionChoice(
        label=_("What its members may do"),
        queryset=Permission.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"].queryset = permissions()  # type: ignore[attr-defined]


class PasswordForm(AdminPasswordChangeForm):
    """Django puts this help text together before anybody has said in which language; here it is said in that of the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "usable_password" in self.fields:
            self.fields["usable_password"].help_text = gettext(str(self.usable_password_help_text))


class UnlinkedMixin(ScreenAdmin):
    """What goes when a person or a group is deleted, without the rows of `LINKS`."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, ...]:
        going, counts, lacking, protected = super().get_deleted_objects(objs, request)
        names = tuple(f"{capfirst(link._meta.verbose_name)}: " for link in LINKS)
        plurals = {link._meta.verbose_name_plural for link in LINKS}
        seen = {name: count for name, count in counts.items() if name not in plurals}
        return _without(going, names), seen, lacking, protected


def _without(rows: Any, names: tuple[str, ...]) -> list[Any]:
    """Nested lists of texts, without those that begin with one of these."""
    kept = [_without(row, names) if isinstance(row, list) else row for row in rows]
    return [row for row in kept if row != [] and not str(row).startswith(names)]


@admin.register(Group)
class PeopleGroupAdmin(UnlinkedMixin, DownloadMixin, ScreenAdmin, GroupAdmin):
    form = GroupForm
    filter_horizontal = ()
    list_display = ("name", "members")
    download_columns = (
        (_("name"), lambda group: group.name),
        (_("members"), lambda group: group.member_count),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(member_count=Count("user"))

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return self.form.base_fields["permissions"]

    @admin.display(description=_("members"), ordering="member_count")
    def members(self, group: Any) -> str:
        return number(group.member_count)


@admin.register(User)
class PeopleUserAdmin(UnlinkedMixin, DownloadMixin, ScreenAdmin, UserAdmin):
    """Rights come from groups. Only superusers make superusers, or change one."""

    change_password_form = PasswordForm

    list_display = ("username", "full_name", "email", "group_names", "is_active", "last_seen")
    list_filter = ("is_active", "is_superuser", "groups")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("first_name", "last_name", "email")}),
        (_("What this person may do"), {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        (_("Important dates"), {"fields": ("last_seen", "joined")}),
    )
    download_columns = (
        (_("username"), lambda user: user.get_username()),
        (_("first name"), lambda user: user.first_name),
        (_("last name"), lambda user: user.last_name),
        (_("e-mail"), lambda user: user.email),
        (_("groups"), lambda user: " | ".join(group.name for group in user.groups.all())),
        (_("active"), lambda user: user.is_active),
        (_("superuser"), lambda user: user.is_superuser),
        (_("last login"), lambda user: user.last_login),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = ("last_seen", "joined")
        return own if request.user.is_superuser else (*own, "is_superuser", "groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        protected = obj is not None and obj.is_superuser and not request.user.is_superuser
        return bool(super().has_change_permission(request, obj)) and not protected

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        protected = obj is not None and obj.is_superuser and not request.user.is_superuser
        return bool(super().has_delete_permission(request, obj)) and not protected

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("groups"))
    def group_names(self, user: User) -> str:
        return listed(group.name for group in user.groups.all())

    @admin.display(description=_("last login"), ordering="last_login")
    def last_seen(self, user: User) -> str:
        return when(user.last_login)

    @admin.display(description=_("date joined"))
    def joined(self, user: User) -> str:
        return when(user.date_joined)
