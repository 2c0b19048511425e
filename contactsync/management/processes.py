"""Child processes of the demo: started, watched, stopped together."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import TracebackType

from django.core.management.base import CommandError


class Processes:
    """A group of child processes. Leaving the `with` block stops them all, politely first."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = {**os.environ, **(environment or {}), "PYTHONUNBUFFERED": "1"}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Start `python ARGUMENTS…` in a session of its own, so that Ctrl+C reaches only the parent."""
        self.running[name] = subprocess.Popen(  # noqa: S603
            [sys.executable, *arguments], env={**self.environment, **(environment or {})}, start_new_session=True
        )

    def wait_until_one_ends(self) -> str:
        """Block until a process ends; its name."""
        while True:
            for name, process in self.running.items():
                if process.poll() is not None:
                    return name
            time.sleep(0.5)

    def wait_for(self, name: str, url: str, *, seconds: float = 30) -> None:
        """Block until `url` answers; raises `CommandError` when the process ends or time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.running[name].poll() is not None:
                raise CommandError(f"The {name} ended at once; see the lines above.")
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise CommandError(f"The {name} did not answer at {url} within {seconds:.0f} seconds.")


def free_port(wanted: int) -> int:
    """`wanted` when nobody listens there, else any free port of the loopback address."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CommandError("No free port was found on 127.0.0.1.")
