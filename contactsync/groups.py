"""The two groups that are there from the start. Data for a migration, so nothing here imports a model."""

from __future__ import annotations

from typing import Any

MARKETING = "Marketing"
MARKETING_LEAD = "Marketing lead"

_KEEP = (
    "phonebook",
    "phonebookoption",
    "contact",
    "customoption",
    "suppression",
    "campaign",
    "campaigntarget",
    "importjob",
    "savedmapping",
)
_SEE = ("importissue", "importchange", "run", "runitem", "call", "recipient", "inboundmessage")

#: model -> actions
MARKETING_RIGHTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_KEEP, ("add", "change", "view")),
    **dict.fromkeys(_SEE, ("view",)),
}
#: model -> codenames beyond add, change, delete, view
MARKETING_EXTRA = {
    "phonebook": ("push_phonebook",),
    "contact": ("export_contact",),
    "campaign": ("export_campaign",),
    "importjob": ("export_importjob", "undo_importjob"),
}
LEAD_RIGHTS: dict[str, tuple[str, ...]] = {
    **MARKETING_RIGHTS,
    **dict.fromkeys(_KEEP, ("add", "change", "view", "delete")),
    "clearance": (),
}
LEAD_EXTRA = {**MARKETING_EXTRA, "campaign": ("export_campaign", "send_campaign"), "clearance": ("allow_sends",)}


def ensure_groups(apps: Any, schema_editor: Any) -> None:
    """Make both groups with their permissions, and the permissions that do not exist yet. Safe to repeat; removes nothing.

    Django itself makes permissions only after the last migration, which is too late here. A model that only a later
    migration makes is passed over; that migration calls this again.
    """
    known = apps.all_models["contactsync"]
    database = schema_editor.connection.alias
    for name, rights, extra in (
        (MARKETING, MARKETING_RIGHTS, MARKETING_EXTRA),
        (MARKETING_LEAD, LEAD_RIGHTS, LEAD_EXTRA),
    ):
        group, _created = apps.get_model("auth", "Group").objects.using(database).get_or_create(name=name)
        for model, actions in rights.items():
            if model not in known:
                continue
            codenames = [f"{action}_{model}" for action in actions] + list(extra.get(model, ()))
            group.permissions.add(*[_permission(apps, database, model, codename) for codename in codenames])


def _permission(apps: Any, database: str, model: str, codename: str) -> Any:
    meta = apps.get_model("contactsync", model)._meta
    kind, _created = (
        apps.get_model("contenttypes", "ContentType")
        .objects.using(database)
        .get_or_create(app_label="contactsync", model=model)
    )
    name = dict(meta.permissions).get(codename) or f"Can {codename.partition('_')[0]} {meta.verbose_name}"
    permission, _created = (
        apps.get_model("auth", "Permission")
        .objects.using(database)
        .get_or_create(
            content_type=kind,
            codename=codename,
            defaults={"name": str(name)},
        )
    )
    return permission
