"""Commands of the application as real processes that begin at once: each is a fork of one process that has loaded everything.

    python -m tests.chaos.nest

takes an order per line, as JSON, and answers each with a line: `{"name": …, "log": …, "logbook": …, "command": […]}` starts a process
(its id), `{"pid": …, "signal": …}` sends it a signal and waits for its end, `{"pid": …}` looks whether it has ended
(the exit status, negative for a signal; null while it lives). With the end of the orders everything left is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings

ROOT = Path(__file__).parents[2]


class Process:
    """One command, as the test that started it sees it."""

    def __init__(self, nest: Nest, name: str, pid: int) -> None:
        self.nest, self.name, self.pid = nest, name, pid
        self.ended = threading.Event()
        self.status: int | None = None

    def kill(self) -> bool:
        """`kill -9`; it is dead when this returns. False when it had ended before."""
        with self.nest.lock:
            return not self.ended.is_set() and self._note(signal=signal.SIGKILL) == -signal.SIGKILL

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it lives."""
        with self.nest.lock:
            return self.status if self.ended.is_set() else self._note()

    def _note(self, **order: int) -> int | None:
        self.status = self.nest.order(pid=self.pid, **order)
        if self.status is not None:
            self.ended.set()
        return self.status


class Nest:
    """Starts processes on one database and kills them. Thread-safe. Use as a context manager."""

    def __init__(self, **environment: str) -> None:
        self.lock = threading.RLock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nest"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "contactsync.settings", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Nest:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def start(self, name: str, log: Path, *command: str) -> Process:
        """`manage.py` with this command line. What it holds leases on bears its name; it keeps the logbook that the test keeps."""
        logbook = str(settings.LOGBOOK_DIR)
        return Process(self, name, self.order(name=name, log=str(log), logbook=logbook, command=command))

    def order(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self.lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


def hatch(order: dict[str, Any]) -> int:
    """Fork a process that carries the command out and ends with it. Returns its id."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    status = 1
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        settings.LOGBOOK_DIR = Path(order["logbook"])
        status = carry_out(order["name"], order["command"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def carry_out(name: str, command: list[str]) -> int:
    from django.core.management import CommandError, call_command

    from contactsync.sync import leases

    # So that whoever kills it knows which leases are those of a dead one.
    leases.new_owner = lambda: f"{name}:{uuid.uuid4().hex}"
    try:
        call_command(*command)
    except CommandError as error:
        print(error)  # noqa: T201 - into the log
        return 1
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def end_of(pid: int, number: int) -> int | None:
    """Send the signal and wait for the end; without one, only look."""
    if number:
        os.kill(pid, number)
    ended, status = os.waitpid(pid, 0 if number else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def main() -> None:
    import django

    django.setup()
    from django.core.management import get_commands, load_command_class

    for name in ("worker", "send_campaign", "runs"):
        load_command_class(get_commands()[name], name)
    left: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "command" in order:
            answer: int | None = hatch(order)
            left.add(answer or 0)
        else:
            answer = end_of(order["pid"], order.get("signal", 0))
            if answer is not None:
                left.discard(order["pid"])
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer to the process that asked
    for pid in left:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
