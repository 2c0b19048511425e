"""Items of a run, people of a campaign, replies, and what is said about the rows of a file: found in the order of their pages.

Each new index stands in the place of one that is needless beside it: owner and order instead of the owner alone, and the
time of replies instead of their account, with which a unique constraint begins. The old ones are dropped by name, which is
the same everywhere: to alter the field, SQLite would write the whole table anew. With a million rows in each of the four
tables this takes some five seconds; as long as that, PostgreSQL lets everybody read them and nobody write to them.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


def drop_index(name: str, table: str, column: str, *, state: migrations.AlterField) -> migrations.RunSQL:
    drop, create = f'DROP INDEX "{name}"', f'CREATE INDEX "{name}" ON "{table}" ("{column}")'
    return migrations.RunSQL(drop, create, state_operations=[state])


class Migration(migrations.Migration):
    dependencies = [("contactsync", "0006_scale_indexes")]

    operations = [
        migrations.AddIndex("runitem", models.Index(fields=["run", "id"], name="item_run")),
        drop_index(
            "contactsync_runitem_run_id_73e02586",
            "contactsync_runitem",
            "run_id",
            state=migrations.AlterField(
                "runitem",
                "run",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="items",
                    to="contactsync.run",
                    verbose_name="run",
                ),
            ),
        ),
        migrations.AddIndex("recipient", models.Index(fields=["campaign", "id"], name="recipient_campaign")),
        drop_index(
            "contactsync_recipient_campaign_id_1097f047",
            "contactsync_recipient",
            "campaign_id",
            state=migrations.AlterField(
                "recipient",
                "campaign",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="recipients",
                    to="contactsync.campaign",
                    verbose_name="campaign",
                ),
            ),
        ),
        migrations.AddIndex("inboundmessage", models.Index(fields=["received_at", "id"], name="reply_received")),
        drop_index(
            "contactsync_inboundmessage_account_id_92a9ae26",
            "contactsync_inboundmessage",
            "account_id",
            state=migrations.AlterField(
                "inboundmessage",
                "account",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="replies",
                    to="contactsync.provideraccount",
                    verbose_name="account",
                ),
            ),
        ),
        migrations.AddIndex("importissue", models.Index(fields=["job", "row"], name="issue_job")),
        drop_index(
            "contactsync_importissue_job_id_7ce86f9d",
            "contactsync_importissue",
            "job_id",
            state=migrations.AlterField(
                "importissue",
                "job",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="issues",
                    to="contactsync.importjob",
                    verbose_name="import",
                ),
            ),
        ),
        migrations.AlterModelOptions(
            "suppression",
            {
                "ordering": ["-id"],
                "verbose_name": "suppressed number",
                "verbose_name_plural": "suppressed numbers",
            },
        ),
    ]
