"""What imports changed is written without a look at the import for each row.

SQLite writes the table anew, which takes some ten seconds with a million rows of it.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


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
    ]
