"""A whole installation in a folder of its own: web server, worker and sandbox as real processes."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contactsync.management.processes import Processes, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = ROOT / "contactsync" / "samples"
MANAGE = str(ROOT / "manage.py")


#: where the system offers it, nothing is left running when the tests themselves are killed
WITH_PARENT = [found, "--pdeathsig", "TERM", "--"] if (found := shutil.which("setpriv")) else []


class LoggedProcesses(Processes):
    """Child processes whose output is kept in a file, so that tests can look for what must not be there."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(environment)
        self.log = log

    def start(self, name: str, *arguments: str) -> None:
        with self.log.open("ab") as log:
            self.running[name] = subprocess.Popen(
                [*WITH_PARENT, sys.executable, *arguments],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


class Site:
    """`url` is the address of the application. Everything about it that a test may want to know or to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.sandbox_port = free_port(0), free_port(0)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "processes.log"
        self.environment = environment(folder) | {"SITE_URL": self.url}
        self.processes = LoggedProcesses(self.environment, self.log)

    def start(self) -> None:
        """Start everything and make the sample account, phonebook and people."""
        sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        port = str(self.sandbox_port)
        self.processes.start("sandbox", "-m", "providers.sandbox", "--port", port, "--key", self.key)
        self.start_worker()
        where = ["--bind", f"127.0.0.1:{self.port}", "--chdir", str(ROOT), "--threads", "4", "--log-level", "warning"]
        self.processes.start("web server", "-m", "gunicorn", "contactsync.wsgi", *where)
        self.processes.wait_for("sandbox", sandbox)
        self.shell(f"IPPANEL.make_phonebook(IPPANEL.make_account('{sandbox}', sample_data.sandbox_key()))")
        self.processes.wait_for("web server", f"{self.url}/admin/login/")

    def stop(self) -> None:
        self.processes.__exit__(None, None, None)

    def start_worker(self) -> None:
        self.processes.start("worker", MANAGE, "worker", "--interval", "0.2", "--no-startup-delay", "-v", "0")

    @contextmanager
    def no_worker(self) -> Iterator[None]:
        """Work that is asked for here waits, as in a long queue, until the block ends."""
        worker = self.processes.running.pop("worker")
        worker.terminate()
        worker.wait(timeout=30)
        try:
            yield
        finally:
            self.start_worker()

    # What is here

    def manage(self, *arguments: str) -> str:
        """Run one command of the installation to its end; its output."""
        done = subprocess.run(
            [sys.executable, MANAGE, *arguments], env=self.environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, code: str) -> Any:
        """Run Python inside the installation, never in the process of the browser; what it prints, read as JSON."""
        before = "import json; from contactsync.management import sample_data; from contactsync.management.demo_accounts import IPPANEL; from contactsync.models import *\n"
        printed = self.manage("shell", "--no-imports", "-c", before + code)
        return json.loads(printed) if printed.strip() else None

    @property
    def password(self) -> str:
        return (self.folder / "demo.password").read_text(encoding="ascii").strip()

    @property
    def key(self) -> str:
        return (self.folder / "sandbox.key").read_text(encoding="ascii").strip()

    def written(self) -> bytes:
        """Everything the processes printed and the database holds."""
        return b"".join(path.read_bytes() for path in (self.log, *self.folder.glob("contactsync.sqlite3*")))

    # What is there

    def state(self) -> dict[str, Any]:
        """What the provider holds."""
        found: dict[str, Any] = self._control("GET", "state/ippanel")
        return found

    def messages(self) -> list[str]:
        """The number of every message the provider took, one entry for each message."""
        return [message[0] for send in self.state()["sends"] for message in send["messages"]]

    def advance(self, seconds: int) -> None:
        """Let time pass at the provider."""
        self._control("POST", "clock", {"advance": seconds})

    def slow(self, path: str, seconds: float) -> None:
        """Let the provider take its time once."""
        self._control("POST", "faults", {"kind": "latency", "path": path, "seconds": seconds})

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", "requests")["requests"]
        return found

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox_port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, text
        return json.loads(text)


def environment(folder: Path) -> dict[str, str]:
    """The tests' own environment, with this folder as the place of all data."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "contactsync.settings",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "default",
        "DATA_DIR": str(folder),
        "DATABASE_URL": "",
        "LOGBOOK_DIR": "",
        "LANGUAGE_CODE": "en",
        "TIME_ZONE": "Asia/Tehran",
        "LOG_LEVEL": "INFO",
    }


def prepare(folder: Path) -> None:
    """An installation with its people, to be copied: this takes longer than everything else."""
    folder.mkdir()
    code = "call_command('setup'); sample_data.make_people(); sample_data.sandbox_key()"
    imports = "from django.core.management import call_command; from contactsync.management import sample_data; "
    done = subprocess.run(
        [sys.executable, MANAGE, "shell", "--no-imports", "-c", imports + code],
        env=environment(folder),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def installed(prepared: Path, folder: Path) -> Site:
    """A site of its own, made from what `prepare` made, with everything running."""
    shutil.copytree(prepared, folder)
    site = Site(folder)
    try:
        site.start()
    except BaseException:
        site.stop()
        raise
    return site
