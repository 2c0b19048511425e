"""What a large phonebook needs.

The provider's id of a contact comes first in its index, so that a list of ids is looked for by them and not by their
phonebook; and a part of a name is looked for in an index of the names, without reading the contacts.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

NAME = "contact_remote_id_unique_per_phonebook"


class Migration(migrations.Migration):
    dependencies = [("contactsync", "0005_suppression_imports")]

    operations = [
        migrations.RemoveConstraint("contact", NAME),
        migrations.AddConstraint(
            "contact",
            models.UniqueConstraint(fields=["remote_id", "phonebook"], condition=~Q(remote_id=""), name=NAME),
        ),
        migrations.AddIndex(
            "contact",
            models.Index(fields=["first_name", "last_name", "company", "email"], name="contact_names"),
        ),
    ]
