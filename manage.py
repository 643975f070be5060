#!/usr/bin/env python
"""Django's command line: `manage.py serve`, `migrate`, `createsuperuser` and the rest."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockbot_site.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")  # a sentence for whoever set them, not a traceback


if __name__ == "__main__":
    main()
