"""A count of the calls that have left, so that a restored backup is noticed; and what was found of unknown calls."""

from __future__ import annotations

import uuid
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from contactsync.groups import ensure_groups


def begin(apps: Any, schema_editor: Any) -> None:
    """The one row, with its identity: a backup that is taken before the first call has it too."""
    apps.get_model("contactsync", "DatabaseMark").objects.using(schema_editor.connection.alias).create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("contactsync", "0003_log_indexes")]

    operations = [
        migrations.CreateModel(
            name="Clearance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cleared_at", models.DateTimeField(auto_now_add=True, verbose_name="allowed at")),
                ("cleared_by", models.CharField(max_length=150, verbose_name="allowed by")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("why", models.JSONField(default=dict, verbose_name="why calls were held back")),
                ("mark_before", models.PositiveBigIntegerField(verbose_name="calls known to the database")),
                ("mark_after", models.PositiveBigIntegerField(verbose_name="calls that had left")),
                ("lost", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "word to send again",
                "verbose_name_plural": "words to send again",
                "ordering": ["-id"],
                "permissions": [("allow_sends", "Can allow sends again after a restored backup")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DatabaseMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("identity", models.UUIDField(default=uuid.uuid4)),
                ("mark", models.PositiveBigIntegerField(default=0)),
                ("lost_mark", models.PositiveBigIntegerField(default=0)),
                ("lost", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "mark of the database",
                "verbose_name_plural": "marks of the database",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "proposal",
                    models.CharField(
                        choices=[("sent", "sent"), ("not_sent", "not sent"), ("cannot_tell", "cannot tell")],
                        max_length=12,
                        verbose_name="proposal",
                    ),
                ),
                ("why", models.JSONField(default=dict, verbose_name="reason")),
                ("rows", models.JSONField(default=list, verbose_name="what the provider shows")),
                ("searched_at", models.DateTimeField(verbose_name="searched at")),
                (
                    "call",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evidence",
                        to="contactsync.call",
                        verbose_name="call",
                    ),
                ),
            ],
            options={
                "verbose_name": "evidence",
                "verbose_name_plural": "evidence",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("proposal__in", ["sent", "not_sent", "cannot_tell"])),
                        name="evidence_proposal_known",
                    )
                ],
            },
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
        # "Marketing lead" may allow sends again.
        migrations.RunPython(ensure_groups, migrations.RunPython.noop),
    ]
