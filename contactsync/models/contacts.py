"""The people in phonebooks."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.fingerprint import contact_fingerprint
from contactsync.models.listed import with_one_of, within
from contactsync.models.phonebooks import Phonebook
from contactsync.models.reasons import describe
from contactsync.text import left_to_right


class ContactQuerySet(models.QuerySet["Contact"]):
    def present(self) -> ContactQuerySet:
        """Contacts that have not been deleted here."""
        return self.filter(deleted_at=None)

    def with_numbers(self, phonebook_id: int, numbers: Collection[str]) -> models.QuerySet[Contact]:
        """Those in the phonebook with one of these numbers, however many."""
        return within(self.filter(with_one_of(Contact, "phone", numbers)), "phonebook_id", phonebook_id)

    def with_remote_ids(self, phonebook_id: int, remote_ids: Collection[str]) -> models.QuerySet[Contact]:
        """Those in the phonebook that the provider knows by one of these ids, however many."""
        known = self.filter(with_one_of(Contact, "remote_id", remote_ids))
        return within(known, "phonebook_id", phonebook_id)


class Contact(models.Model):
    """One person in one phonebook. The phone number is the identity; `options` maps option id (text) to canonical value."""

    class SyncState(models.TextChoices):
        NEW = "new", _("not pushed yet")
        CHANGED = "changed", _("changed since the last push")
        SYNCED = "synced", _("in step")
        FAILED = "failed", _("refused by the provider")
        UNKNOWN = "unknown", _("outcome not known")
        MISSING = "missing", _("gone at the provider")

    #: what the next push is about; with a reason in `sync_error` the last plan found it impossible
    WAITING = frozenset({SyncState.NEW, SyncState.CHANGED})

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    phonebook = models.ForeignKey(Phonebook, models.PROTECT, related_name="contacts", verbose_name=_("phonebook"))
    phone = models.CharField(
        _("phone number"), max_length=16, help_text=_("In any usual form; kept in international form.")
    )
    prefix = models.CharField(_("prefix"), max_length=50, blank=True, help_text=_("Mr., Ms., Dr. …"))
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    company = models.CharField(_("company"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    assigned_user = models.EmailField(_("assigned user"), blank=True)
    note = models.CharField(_("note"), max_length=1000, blank=True)
    consented_at = models.DateTimeField(
        _("consent given at"),
        null=True,
        blank=True,
        help_text=_("When the person agreed to be written to; some providers demand it for templates."),
    )
    consent_source = models.CharField(
        _("how consent was given"), max_length=255, blank=True, help_text=_("Form, contract, fair …")
    )
    last_received_at = models.DateTimeField(_("last wrote to us at"), null=True, editable=False)
    options = models.JSONField(_("custom options"), default=dict, blank=True)
    remote_id = models.CharField(_("id at the provider"), max_length=100, blank=True, editable=False)
    sync_state = models.CharField(
        _("state at the provider"), max_length=10, choices=SyncState, default=SyncState.NEW, editable=False
    )
    payload_hash = models.CharField(max_length=64, editable=False)
    pushed_hash = models.CharField(max_length=64, blank=True, editable=False)
    pushed_payload = models.JSONField(_("as last pushed"), null=True, editable=False)
    sync_error = models.JSONField(_("why it is not in step"), default=dict, blank=True, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, editable=False)
    pushed_at = models.DateTimeField(_("last pushed at"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["id"]
        permissions = [("export_contact", _("Can export contacts"))]
        constraints = [
            # the number first: one index for both questions, as numbers in no order make each index dear to fill
            models.UniqueConstraint(fields=["phone", "phonebook"], name="contact_phone_unique_per_phonebook"),
            models.UniqueConstraint(
                fields=["remote_id", "phonebook"],
                condition=~Q(remote_id=""),
                name="contact_remote_id_unique_per_phonebook",
            ),
            models.CheckConstraint(condition=Q(phone__startswith="+"), name="contact_phone_is_international"),
            models.CheckConstraint(
                condition=Q(sync_state__in=["new", "changed", "synced", "failed", "unknown", "missing"]),
                name="contact_sync_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["phonebook", "sync_state"], name="contact_book_state"),
            # what is looked through for a part of a name
            models.Index(fields=["first_name", "last_name", "company", "email"], name="contact_names"),
            models.Index(
                fields=["phonebook", "sync_state"], condition=Q(deleted_at__isnull=False), name="contact_deleted"
            ),
            models.Index(fields=["phonebook", "sync_state"], condition=~Q(sync_error={}), name="contact_with_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} {left_to_right(self.phone)}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the hash and the state true. Bulk writers must set both themselves (`refresh_state`)."""
        self.refresh_state()
        update_fields = kwargs.get("update_fields")
        if update_fields is not None:
            kwargs["update_fields"] = {*update_fields, "payload_hash", "sync_state", "sync_error", "updated_at"}
        super().save(*args, **kwargs)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def sync_error_text(self) -> str:
        return describe(self.sync_error)

    def fingerprint(self) -> str:
        """Hash of everything about the contact that a provider may be told."""
        return contact_fingerprint(
            phone=self.phone,
            prefix=self.prefix,
            first_name=self.first_name,
            last_name=self.last_name,
            company=self.company,
            email=self.email,
            tags=self.tags,
            assigned_user=self.assigned_user,
            note=self.note,
            options=self.options,
        )

    def refresh_state(self) -> None:
        """Compute `payload_hash`, and turn a state that no longer holds into `changed`; why it could not be pushed is then unknown again."""
        before, self.payload_hash = self.payload_hash, self.fingerprint()
        if self.sync_state in {self.SyncState.SYNCED, self.SyncState.FAILED} and self.payload_hash != self.pushed_hash:
            self.sync_state = self.SyncState.CHANGED if self.remote_id else self.SyncState.NEW
        if before and before != self.payload_hash and self.sync_state in self.WAITING:
            self.sync_error = {}
