#!/usr/bin/env python
"""Django's command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactsync.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    except OSError as error:
        sys.exit(f"Settings: DATA_DIR cannot be made: {error}.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
