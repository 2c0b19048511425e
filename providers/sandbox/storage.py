"""Keeps the state in a JSON file between runs."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from providers.sandbox.clock import Clock
from providers.sandbox.dialect import Dialect

FORMAT = 1


class Storage:
    """Writes the state a moment after it changed, whole and atomically; a kill loses at most that moment."""

    def __init__(self, path: Path, dialects: Mapping[str, Dialect], clock: Clock) -> None:
        self._path = path
        self._dialects = dialects
        self._clock = clock
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._pause = 0.5

    def load(self) -> None:
        """Read the file when there is one. Raises `ValueError` for one that is not ours."""
        if not self._path.exists():
            return
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise ValueError(data["format"])
            self._clock.offset = float(data["clock_offset"])
            for slug, stored in data["dialects"].items():
                if slug in self._dialects:
                    self._dialects[slug].state.load(stored)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self._path} is not a data file of this sandbox: {error!r}") from error

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Save what is left and end."""
        self._stopping.set()
        self._changed.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def changed(self) -> None:
        self._changed.set()

    def save(self) -> None:
        """Write everything now."""
        data: dict[str, object] = {"format": FORMAT, "clock_offset": self._clock.offset}
        dialects = {}
        for slug, dialect in self._dialects.items():
            with dialect.state.lock:
                dialects[slug] = dialect.state.dump()
        data["dialects"] = dialects
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(self._path.name + ".part")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._changed.wait()
            self._changed.clear()
            started = time.monotonic()
            try:
                self.save()
            except OSError as error:
                sys.stderr.write(f"The sandbox cannot write {self._path}: {error}. It tries again.\n")
                self._changed.set()
            # A big state takes a while to write: never spend more than a tenth of the time on it.
            self._stopping.wait(max(self._pause, 10 * (time.monotonic() - started)))
        if self._changed.is_set():
            self.save()
