"""The suppression list as a file to download. Files come in as imports (`contactsync.imports.suppress`)."""

from __future__ import annotations

from import_export.fields import Field

from contactsync.admin.downloads import cell
from contactsync.admin.exports import SmallResource
from contactsync.models import Suppression


class SuppressionResource(SmallResource):
    source = Field(attribute="source", column_name="source", readonly=True)
    since = Field(attribute="since", column_name="since", readonly=True)

    class Meta:
        model = Suppression
        fields = ("phone", "reason", "source", "since")

    def dehydrate_since(self, suppression: Suppression) -> str:
        return str(cell(suppression.since))
