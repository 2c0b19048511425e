"""Try contactsync: everything on this machine, with a sandbox in the provider's place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import override

from contactsync.management import sample_data
from contactsync.management.demo_accounts import ACCOUNTS
from contactsync.management.processes import Processes, free_port
from contactsync.management.sandbox_view import Sandbox

SANDBOX_PORT = 8765
#: what makes an environment somebody's installation; the demo stays away from it
OF_AN_INSTALLATION = (
    *("DATABASE_URL", "DATABASE_URL_FILE", "PROVIDER", "PROVIDER_TOKEN", "PROVIDER_TOKEN_FILE"),
    "TASKS_BACKEND",
)

IN_USE = "This installation is in use, and the demo would write into it."
ELSEWHERE = "To try the demo all the same, give it a folder of its own: DATA_DIR=/some/folder ./run demo"


def insist_on_own_installation() -> None:
    """Raises `CommandError` where somebody has set up more than the demo needs: it would write among their data."""
    if connection.vendor != "sqlite" or settings.PROVIDER or settings.TASKS_BACKEND != "database":
        raise CommandError(f"{IN_USE} It has DATABASE_URL, PROVIDER or TASKS_BACKEND set. {ELSEWHERE}")


class Command(BaseCommand):
    help = "Start the web server, workers and a provider sandbox with sample data; or, with --check, do the main job and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Do the main job in a database of its own and exit 0 only if everything agrees.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        else:
            self._start()

    def _check(self) -> None:
        with tempfile.TemporaryDirectory(prefix="contactsync-check-") as folder:
            environment = {
                **os.environ,
                "DATA_DIR": folder,
                "LANGUAGE_CODE": "en",
                **dict.fromkeys(OF_AN_INSTALLATION, ""),
            }
            done = subprocess.run(
                [sys.executable, "manage.py", "check_main_job"], env=environment, cwd=settings.BASE_DIR, check=False
            )
        if done.returncode:
            sys.exit(done.returncode)

    def _start(self) -> None:
        insist_on_own_installation()
        site = urlsplit(settings.SITE_URL)
        port, sandbox_port = free_port(site.port or 8000), free_port(SANDBOX_PORT)
        address, sandbox = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}"
        call_command("setup")
        if sample_data.is_somebody_elses():
            raise CommandError(f"{IN_USE} Its database holds accounts or people that are not the demo's. {ELSEWHERE}")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with Processes({"SITE_URL": address}) as processes:
            self._start_sandbox(processes, sandbox_port, sandbox)
            with override("fa"):
                sample_data.make_people()
                for each in ACCOUNTS:
                    Sandbox(sandbox).set_up(each)
                    account = each.make_account(sandbox, sample_data.sandbox_key())
                    each.make_campaign(each.make_phonebook(account))
            for name in ("worker", "second worker"):  # so that a long import holds up nobody else
                processes.start(name, "manage.py", "worker", "--interval", "0.5", "--no-startup-delay", "-v", "0")
            serving = (
                f"-m gunicorn contactsync.wsgi --bind 127.0.0.1:{port} --workers 2 --threads 4 --log-level warning"
            )
            processes.start("web server", *serving.split())
            processes.wait_for("web server", f"{address}/admin/login/")
            self._say(address, sandbox)
            try:
                ended = processes.wait_until_one_ends()
            except KeyboardInterrupt:
                self.stdout.write("\nStopping.")
                return
            raise CommandError(f"The {ended} ended unexpectedly; see the lines above.")

    @staticmethod
    def _start_sandbox(processes: Processes, port: int, address: str) -> None:
        data = str(settings.DATA_DIR / "sandbox.json")
        # the key in the environment, where a list of processes does not show it
        environment = {"SANDBOX_KEY": sample_data.sandbox_key()}
        arguments = ("-m", "providers.sandbox", "--port", str(port), "--data", data, "--limits")
        processes.start("sandbox", *arguments, environment=environment)
        processes.wait_for("sandbox", address)

    def _say(self, address: str, sandbox: str) -> None:
        samples = settings.BASE_DIR / "contactsync" / "samples"
        self.stdout.write(
            f"\n  contactsync:  {address}/\n"
            f"  log in as:    demo  (everything)    password: {sample_data.demo_password()}\n"
            f"                marketing, lead  (the two roles, same password; only the lead sends)\n"
            f"  provider:     {sandbox}/  (the sandbox: what it holds; nothing leaves this machine)\n"
            f"  sample files: {samples.relative_to(settings.BASE_DIR)}/\n\n"
            f"  Ctrl+C stops everything; the data stays in {settings.DATA_DIR}.\n"
        )
