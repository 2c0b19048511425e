"""The admin's log has no index for "what was done to this row", and the page about a number asks just that."""

from __future__ import annotations

from django.db import migrations

LOG_INDEX = "CREATE INDEX {name} ON django_admin_log (content_type_id, {column})"


def log_index(column: str) -> migrations.RunSQL:
    name = f"contactsync_log_{column}"
    return migrations.RunSQL(LOG_INDEX.format(name=name, column=column), f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("contactsync", "0002_imports"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [log_index("object_id"), log_index("object_repr")]
