"""What imports changed is written without a look at the import for each row; cancellations of long ago are not made up for.

SQLite writes the table of changes anew, which takes some ten seconds with a million rows of it.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F
from django.utils import timezone

INTERRUPTED = "The worker ended while this campaign was being cancelled, so parts of it may not be. Cancel it again."


def leave_old_cancellations(apps: Any, schema_editor: Any) -> None:
    """From now on the sweep cancels again what was interrupted. What is left of earlier versions may be something that a person
    has gone on with since: there a person is asked, where it may matter still."""
    campaigns = apps.get_model("contactsync", "Campaign").objects.using(schema_editor.connection.alias)
    left = campaigns.filter(state__in=["scheduled", "stopped", "attention"]).exclude(lease_until=None)
    killed = left.filter(scheduled_for__gt=timezone.now(), error={}).exclude(lease_owner="")
    resumed = left.filter(runs__kind="send", runs__created_at__gt=F("lease_until"))
    killed.exclude(pk__in=list(resumed.values_list("pk", flat=True))).update(error={"message": INTERRUPTED})
    left.update(lease_owner="", lease_until=None)


class Migration(migrations.Migration):
    dependencies = [("contactsync", "0008_plainer_labels")]

    operations = [
        migrations.AlterField(
            model_name="importchange",
            name="job",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="changes",
                to="contactsync.importjob",
                verbose_name="import",
            ),
        ),
        migrations.RunPython(leave_old_cancellations, migrations.RunPython.noop),
    ]
