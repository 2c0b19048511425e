"""Uploaded files on their way."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactsync.models.phonebooks import Phonebook
from contactsync.models.shared import Explained, Leased
from contactsync.text import file_name_shown


def private_storage() -> Storage:
    """Where uploads lie: never under a served address."""
    return storages["private"]


class ImportJob(Leased, Explained):
    """One uploaded file on its way into a phonebook, or onto the suppression list."""

    class Kind(models.TextChoices):
        CONTACTS = "contacts", _("contacts")
        SUPPRESSION = "suppression", _("suppression list")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("waiting for the columns")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked, waiting for approval")
        APPLYING = "applying", _("being imported")
        APPLIED = "applied", _("imported")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        DISCARDED = "discarded", _("discarded")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")
        REDOING = "redoing", _("being redone")

    class Mode(models.TextChoices):
        ADD_AND_UPDATE = "add_and_update", _("add new numbers and update those that are there")
        ADD_ONLY = "add_only", _("only add new numbers")
        UPDATE_ONLY = "update_only", _("only update numbers that are there")

    class TagsMode(models.TextChoices):
        REPLACE = "replace", _("tags of the file replace those of the contact")
        ADD = "add", _("tags of the file are added to those of the contact")

    #: what empties a field unless somebody writes something else
    CLEAR_TOKEN = "<clear>"  # noqa: S105 - not a secret

    #: state -> the states it may be entered from
    TRANSITIONS = {
        State.UPLOADED: frozenset({State.UPLOADED, State.CHECKED, State.FAILED, State.STOPPED}),
        State.CHECKING: frozenset(
            {State.UPLOADED, State.CHECKED, State.STOPPED, State.FAILED}
        ),  # while nothing is written
        State.CHECKED: frozenset({State.CHECKING}),
        State.APPLYING: frozenset({State.CHECKED, State.STOPPED, State.FAILED}),
        State.APPLIED: frozenset({State.APPLYING, State.REDOING}),
        State.STOPPED: frozenset({State.CHECKING, State.APPLYING, State.REDOING}),
        State.FAILED: frozenset({State.CHECKING, State.APPLYING, State.REDOING}),
        State.DISCARDED: frozenset(
            {State.UPLOADED, State.CHECKED, State.STOPPED, State.FAILED}
        ),  # while nothing is written
        State.UNDOING: frozenset({State.APPLIED, State.STOPPED, State.FAILED}),  # once something is written
        State.UNDONE: frozenset({State.UNDOING}),
        State.REDOING: frozenset({State.UNDOING, State.UNDONE}),
    }

    kind = models.CharField(_("kind"), max_length=11, choices=Kind, default=Kind.CONTACTS)
    phonebook = models.ForeignKey(
        Phonebook, models.PROTECT, null=True, blank=True, related_name="imports", verbose_name=_("phonebook")
    )
    #: for numbers without a country code; for contacts that of the account is used
    region = models.CharField(_("country of the numbers"), max_length=2, blank=True)
    file = models.FileField(_("file"), storage=private_storage, upload_to="imports/%Y/%m/", max_length=200)
    file_name = models.CharField(_("file name"), max_length=200)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    sha256 = models.CharField(_("fingerprint"), max_length=64, blank=True, db_index=True)
    encoding = models.CharField(_("encoding"), max_length=30, blank=True)
    dialect = models.JSONField(_("form of the file"), default=dict, blank=True)
    columns = models.JSONField(_("columns found"), default=list, blank=True)
    header_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    mapping = models.JSONField(_("columns used"), default=dict, blank=True)
    fixed_values = models.JSONField(_("same for all rows"), default=dict, blank=True)
    mode = models.CharField(_("mode"), max_length=15, choices=Mode, default=Mode.ADD_AND_UPDATE)
    tags_mode = models.CharField(_("tags"), max_length=10, choices=TagsMode, default=TagsMode.REPLACE)
    clear_token = models.CharField(_("sign that empties a field"), max_length=50, blank=True, default=CLEAR_TOKEN)
    #: where `mapping` comes from (`imports.memory.propose`); empty once a person has chosen
    guess = models.JSONField(default=dict, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    checked_counts = models.JSONField(_("counts of the check"), default=dict, blank=True)
    position = models.PositiveBigIntegerField(_("rows done"), default=0)
    #: the row up to which the real run was held to the check (None: to the end); a person let it go on without after that
    compared_until = models.PositiveBigIntegerField(null=True, editable=False)
    total_rows = models.PositiveBigIntegerField(_("rows"), null=True)
    error = models.JSONField(_("error"), default=dict, blank=True)
    corrects = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="corrections",
        verbose_name=_("corrects the import"),
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    erased_at = models.DateTimeField(_("file erased at"), null=True)
    keeps_rows = models.BooleanField(default=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        indexes = [models.Index(fields=["header_fingerprint"], name="import_header")]
        permissions = [
            ("export_importjob", _("Can download the rows of imports")),
            ("undo_importjob", _("Can undo imports")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "uploaded",
                        "checking",
                        "checked",
                        "applying",
                        "applied",
                        "stopped",
                        "failed",
                        "discarded",
                        "undoing",
                        "undone",
                        "redoing",
                    ]
                ),
                name="import_state_known",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["add_and_update", "add_only", "update_only"]), name="import_mode_known"
            ),
            models.CheckConstraint(condition=Q(tags_mode__in=["replace", "add"]), name="import_tags_mode_known"),
            models.CheckConstraint(
                condition=Q(kind="contacts", phonebook__isnull=False, region="")
                | Q(kind="suppression", phonebook=None, region__gt="", mode="add_only"),
                name="import_goes_to_one_place",
            ),
        ]

    def __str__(self) -> str:
        return file_name_shown(self.file_name)

    @property
    def is_ending(self) -> bool:
        """Whether it was stopped and its worker still has rows in hand."""
        held = self.lease_owner and self.lease_until is not None and self.lease_until > timezone.now()
        return bool(held) and self.state == self.State.STOPPED

    @property
    def is_suppression(self) -> bool:
        """Whether the file goes onto the suppression list."""
        return self.kind == self.Kind.SUPPRESSION

    @property
    def place(self) -> str:
        """Where the file goes, for people: the phonebook, or the suppression list."""
        return str(self.phonebook or self.Kind.SUPPRESSION.label)

    @property
    def book(self) -> Phonebook:
        """The phonebook of an import of contacts. Raises `ValueError` for any other."""
        if self.phonebook is None:
            raise ValueError(f"Import {self.pk} goes into no phonebook.")
        return self.phonebook
