"""Files that go onto the suppression list are imports as well: without a phonebook, with a country of their own."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contactsync", "0004_database_epoch"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="importchange",
            name="suppression",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="import_changes",
                to="contactsync.suppression",
                verbose_name="suppressed number",
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="kind",
            field=models.CharField(
                choices=[("contacts", "contacts"), ("suppression", "suppression list")],
                default="contacts",
                max_length=11,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="region",
            field=models.CharField(blank=True, max_length=2, verbose_name="country of the numbers"),
        ),
        migrations.AddField(
            model_name="importundochange",
            name="suppression",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="contactsync.suppression",
                verbose_name="suppressed number",
            ),
        ),
        migrations.AlterField(
            model_name="importchange",
            name="contact",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="import_changes",
                to="contactsync.contact",
                verbose_name="contact",
            ),
        ),
        migrations.AlterField(
            model_name="importchange",
            name="kind",
            field=models.CharField(
                choices=[("created", "created"), ("updated", "updated"), ("there", "there already")],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="importjob",
            name="phonebook",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="imports",
                to="contactsync.phonebook",
                verbose_name="phonebook",
            ),
        ),
        migrations.AlterField(
            model_name="importundochange",
            name="case",
            field=models.CharField(
                choices=[
                    ("created", "new, untouched since"),
                    ("created_pushed", "new, at the provider by now"),
                    ("created_edited", "new, edited since"),
                    ("created_messaged", "new, in a campaign since"),
                    ("updated", "changed, untouched since"),
                    ("updated_pushed", "changed, pushed since"),
                    ("updated_edited", "changed, edited since"),
                    ("deleted", "deleted since"),
                    ("created_asked", "new, and the recipient has asked for it since"),
                    ("created_named", "new, and named by a later file too"),
                ],
                max_length=20,
                verbose_name="case",
            ),
        ),
        migrations.AlterField(
            model_name="importundochange",
            name="redone",
            field=models.CharField(
                blank=True,
                choices=[
                    ("done", "as after the import"),
                    ("kept", "changed since the undo, kept"),
                    ("taken", "the number is in the phonebook again, kept"),
                    ("listed", "the number is on the list again, kept"),
                    ("gone", "deleted since the undo"),
                ],
                max_length=10,
                verbose_name="what was redone",
            ),
        ),
        migrations.AddIndex(
            model_name="importchange",
            index=models.Index(
                condition=models.Q(("suppression__isnull", False)),
                fields=["suppression"],
                name="import_change_suppression",
            ),
        ),
        migrations.AddConstraint(
            model_name="importchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("contact__isnull", False), ("suppression", None)),
                    models.Q(("contact", None), ("suppression__isnull", False)),
                    _connector="OR",
                ),
                name="import_change_of_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "contacts"), ("phonebook__isnull", False), ("region", "")),
                    models.Q(("kind", "suppression"), ("mode", "add_only"), ("phonebook", None), ("region__gt", "")),
                    _connector="OR",
                ),
                name="import_goes_to_one_place",
            ),
        ),
    ]
