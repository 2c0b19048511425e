"""Uploaded files and what became of every row."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.accounts import ProviderAccount
from contactsync.models.phonebooks import Phonebook
from contactsync.models.reasons import describe


def private_storage() -> Storage:
    """Where uploads lie: never under a served address."""
    return storages["private"]


class ImportJob(models.Model):
    """One uploaded file on its way into a phonebook, or onto the suppression list."""

    class Kind(models.TextChoices):
        CONTACTS = "contacts", _("contacts")
        SUPPRESSION = "suppression", _("suppression list")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("waiting for the columns")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked, waiting for your word")
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
    lease_owner = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
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
        return self.file_name

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

    @property
    def error_text(self) -> str:
        return describe(self.error)


class SavedMapping(models.Model):
    """A choice of columns kept under a name, for every file of an account that has these titles.

    `columns` is a list of `[title, field]` in the order of the file it was saved from; `fixed` maps field to text;
    `rules` holds the fields of `contactsync.imports.rules.Rules`, or nothing.
    """

    account = models.ForeignKey(ProviderAccount, models.CASCADE, related_name="mappings", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=100)
    columns = models.JSONField(_("columns"), default=list, blank=True)
    fixed = models.JSONField(_("same for all rows"), default=dict, blank=True)
    rules = models.JSONField(_("what happens with contacts that are there"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("saved by")
    )
    created_at = models.DateTimeField(_("saved at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last changed at"), auto_now=True)

    class Meta:
        verbose_name = _("saved mapping")
        verbose_name_plural = _("saved mappings")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="mapping_name_unique_per_account"),
        ]

    def __str__(self) -> str:
        return self.name


class ImportIssue(models.Model):
    """One thing about one row that a person should know. `code` is one of `contactsync.imports.issues`."""

    class Severity(models.TextChoices):
        REJECTED = "rejected", _("row not imported")
        DUPLICATE = "duplicate", _("number repeated in the file")
        SKIPPED = "skipped", _("row skipped, as chosen")
        WARNING = "warning", _("imported, please look")

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="issues", verbose_name=_("import"))
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity)
    code = models.CharField(_("code"), max_length=40)
    value = models.TextField(_("value in the file"), blank=True)
    params = models.JSONField(default=dict, blank=True)
    suggestion = models.CharField(_("suggestion"), max_length=255, blank=True)
    cells = models.JSONField(_("the whole row"), default=list, blank=True)
    #: the number of the row in E.164, or as much of it as its digits tell when it is not one
    number = models.CharField(max_length=40, blank=True, editable=False)

    class Meta:
        verbose_name = _("import issue")
        verbose_name_plural = _("import issues")
        ordering = ["row", "id"]
        indexes = [
            models.Index(fields=["job", "severity", "row"], name="issue_job_severity_row"),
            models.Index(fields=["number"], condition=~Q(number=""), name="issue_number"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"


class ImportChange(models.Model):
    """What one row of a file did to one contact, with the contact as it was before, or to one suppressed number.

    The row outlives the contact, with its number, so that an undo can say what became of every row. Of a suppressed
    number `before` holds under `set` what the row made of it. A number that an earlier file had put on the list is
    there as well: the undo of that one must know who else asked for it.
    """

    class Kind(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        THERE = "there", _("there already")

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="changes", verbose_name=_("import"))
    contact = models.ForeignKey(
        "contactsync.Contact",
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="import_changes",
        verbose_name=_("contact"),
    )
    suppression = models.ForeignKey(
        "contactsync.Suppression",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="import_changes",
        verbose_name=_("suppressed number"),
    )
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    before = models.JSONField(_("before"), null=True)

    class Meta:
        verbose_name = _("change by an import")
        verbose_name_plural = _("changes by imports")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "row"], name="import_change_once_per_row"),
            models.CheckConstraint(
                condition=Q(contact__isnull=False, suppression=None) | Q(contact=None, suppression__isnull=False),
                name="import_change_of_one",
            ),
        ]
        indexes = [
            models.Index(fields=["job", "row"], condition=Q(kind="updated"), name="import_change_updated"),
            models.Index(
                fields=["suppression"], condition=Q(suppression__isnull=False), name="import_change_suppression"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.contact_id or self.suppression_id}"


class ImportCorrection(models.Model):
    """One row of a corrected workbook: which row of the corrected import it was, and what was changed in it."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="corrected_rows", verbose_name=_("import"))
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    corrected_row = models.PositiveBigIntegerField(_("row of the corrected import"))
    changes = models.JSONField(_("before and after"), default=list)

    class Meta:
        verbose_name = _("corrected row")
        verbose_name_plural = _("corrected rows")
        ordering = ["row"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="import_correction_once_per_row")]

    def __str__(self) -> str:
        return f"{self.line}: {self.corrected_row}"
