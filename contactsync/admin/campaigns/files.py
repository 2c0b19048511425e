"""Campaigns as a file: all of them go out, and what comes in makes drafts or changes them. Nothing is prepared or sent by it."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.widgets import BooleanWidget, DateTimeWidget, Widget

from contactsync.admin.accounts.abilities import counts_parts
from contactsync.admin.files.exports import SmallResource, account_field
from contactsync.admin.phonebooks.files import packed, unpacked
from contactsync.imports.moments import read_moment
from contactsync.models import Campaign, CampaignTarget, Phonebook
from contactsync.options import OPTION_MESSAGES, OptionCode
from contactsync.text import ascii_digits, clean


class MomentWidget(DateTimeWidget):
    """A moment in any usual form, Jalali or Gregorian, in the site's time zone unless it names another."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = ascii_digits(clean(str(value or "")))
        moment, problem = read_moment(text) if text else (None, "")
        if problem:
            raise ValueError(_(OPTION_MESSAGES[OptionCode(problem)]))
        return moment


class SwitchWidget(BooleanWidget):
    """1 or 0; any other word is refused and not taken for a no."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if value not in [*self.TRUE_VALUES, *self.FALSE_VALUES, *self.NULL_VALUES]:
            raise ValueError(_("Write 1 for yes or 0 for no, not “%(text)s”.") % {"text": value})
        return super().clean(value, row, **kwargs)


class ValuesWidget(Widget):
    """The values of a template, as JSON: “{"variable": "text"}”."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> dict[str, str]:
        try:
            values = json.loads(value or "{}")
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
            raise ValueError(
                _("Write the values of a template as {“variable”: “text”}, with straight quotation marks.")
            )
        return values

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return json.dumps(value, ensure_ascii=False) if value else ""


#: what a file may set; all else is there to be read
TOLD = ("account", "title", "sender", "message", "template", "template_values", "is_keyworded", "scheduled_for")
OTHERS = "other targets"
Type = CampaignTarget.Type


class CampaignResource(SmallResource):
    """A row with the id of a draft changes it, one without an id is a new draft. `phonebooks` are those that get it as a whole,
    and a file only adds to them; rows of a phonebook and chosen contacts are named beside them and never set."""

    account = account_field()
    scheduled_for = Field(attribute="scheduled_for", column_name="scheduled_for", widget=MomentWidget())
    template_values = Field("template_values", "template_values", ValuesWidget(), default=dict)
    is_keyworded = Field("is_keyworded", "is_keyworded", SwitchWidget(), default=False)
    phonebooks = Field(column_name="phonebooks")
    other_targets = Field(column_name=OTHERS)
    state = Field(attribute="get_state_display", column_name="state")
    created_by = Field(attribute="created_by__username", column_name="written by")
    sent_by = Field(attribute="sent_by__username", column_name="sent by")
    recipients = Field(column_name="recipients")
    parts = Field(column_name="SMS parts")

    class Meta:
        model = Campaign
        fields = (
            "id", "title", "account", "sender", "message", "template", "template_values", "is_keyworded", "phonebooks",
            "other_targets", "state", "scheduled_for", "recipients", "parts", "created_by", "sent_by", "created_at",
            "prepared_at", "started_at", "finished_at", "reported_at",
        )  # fmt: skip
        export_order = fields
        clean_model_instances = True
        skip_unchanged = True

    def get_import_fields(self) -> list[Any]:
        return [field for field in super().get_import_fields() if field.column_name in {"id", "phonebooks", *TOLD}]

    def dehydrate_phonebooks(self, campaign: Campaign) -> str:
        targets = campaign.targets.all() if campaign.pk else ()
        return packed(target.phonebook.title for target in targets if _is_whole(target))

    def dehydrate_other_targets(self, campaign: Campaign) -> str:
        targets = campaign.targets.all() if campaign.pk else ()
        return packed(map(_part, (target for target in targets if not _is_whole(target))))

    def dehydrate_recipients(self, campaign: Campaign) -> Any:
        return campaign.summary.get("recipients", "")

    def dehydrate_parts(self, campaign: Campaign) -> Any:
        return campaign.summary.get("parts", "") if counts_parts(campaign.account) else ""

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        if "id" not in dataset.headers:
            dataset.append_col([""] * len(dataset), header="id")

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        super().before_import_row(row, **kwargs)
        if "message" in row:
            row["message"] = row["message"].replace("\r\n", "\n").replace("\r", "\n")

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        key, before = instance.pk, _told(instance)
        super().import_instance(instance, row, **kwargs)
        instance.pk = key  # a new one gets an id of its own, whatever the file says
        if key is None or (before == _told(instance) and not self._new_phonebooks(instance, row)):
            return
        # Locked until all rows are written, so that nobody begins to prepare it in between.
        locked = Campaign.objects.select_for_update().get(pk=key)
        if locked.state != Campaign.State.DRAFT:
            raise ValidationError(
                _("The campaign is no longer a draft (%(state)s), so a file cannot change it.")
                % {"state": locked.get_state_display()}
            )

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        same = super().skip_row(instance, original, row, import_validation_errors)
        return bool(same and original.pk and not self._new_phonebooks(instance, row))

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        self._new_phonebooks(instance, row)  # says what is wrong before anything is written
        if instance.pk is None:
            instance.created_by = kwargs.get("user")

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        """A change touches only what a file may set: the state belongs to the services."""
        instance.save(update_fields=None if is_create else TOLD)

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        CampaignTarget.objects.bulk_create(
            CampaignTarget(campaign=instance, phonebook=book) for book in self._new_phonebooks(instance, row)
        )

    def _new_phonebooks(self, campaign: Campaign, row: Any) -> list[Phonebook]:
        """The phonebooks a row names that do not get the campaign as a whole yet. Raises `ValidationError` for one that is not
        there, and for a row that would have the campaign go to others than it will."""
        titles = dict.fromkeys(unpacked(row.get("phonebooks", "")))
        known = {book.title: book for book in Phonebook.objects.filter(account=campaign.account_id, title__in=titles)}
        if missing := [title for title in titles if title not in known]:
            raise ValidationError(
                {"phonebooks": _("The account has no phonebook “%(title)s”.") % {"title": missing[0]}}
            )
        self._check_others(campaign, row)
        targets = campaign.targets.select_related("phonebook") if campaign.pk else ()
        has = [target.phonebook for target in targets if _is_whole(target)]
        if "phonebooks" in row and (left_out := [book.title for book in has if book.title not in titles]):
            raise ValidationError(
                {
                    "phonebooks": _("A file only adds phonebooks. Remove “%(title)s” on the campaign's page.")
                    % {"title": left_out[0]}
                }
            )
        return [book for book in known.values() if book not in has]

    def _check_others(self, campaign: Campaign, row: Any) -> None:
        now, told = self.dehydrate_other_targets(campaign), row.get(OTHERS)
        if told is None or clean(told) == clean(now):
            return
        text = (
            _("Rows of a phonebook and chosen contacts are changed on the campaign's page only, not in a file.")
            if campaign.pk
            else _(
                "Rows of a phonebook and chosen contacts cannot come from a file: %(targets)s. "
                "Empty the cell to make the campaign without them."
            )
        )
        raise ValidationError({OTHERS: text % {"targets": told}})


def _told(campaign: Campaign) -> list[Any]:
    return [getattr(campaign, f"{name}_id" if name == "account" else name) for name in TOLD]


def _is_whole(target: CampaignTarget) -> bool:
    return target.type == Type.ALL and target.start is None and target.size is None


def _part(target: CampaignTarget) -> str:
    """The same in every language, so that a file is known again."""
    first = target.start or 1
    last = "" if target.size is None else first + target.size - 1
    return f"{target.phonebook.title} [{'chosen' if target.type == Type.DETAIL else f'{first}–{last}'}]"
