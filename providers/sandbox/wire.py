"""What travels between the HTTP server and a dialect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One request, read completely. `path` is relative to the dialect's mount; header names are in lower case."""

    method: str
    path: str
    query: str = ""  # undecoded
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, payload: object, **headers: str) -> Response:
    """An answer with a JSON body; keyword arguments become headers, `_` read as `-`."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(frozen=True)
class RecordedRequest:
    """What was asked and what was answered, with every credential blanked out.

    `changes` says that the route writes or sends, whatever came of it.
    """

    number: int
    at: float
    provider: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None  # None: the connection was dropped without an answer
    fault: str
    changes: bool
    seconds: float

    @cached_property
    def json(self) -> Any:
        """The body as parsed JSON; None when it is empty or no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def as_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "number": self.number,
            "at": self.at,
            "provider": self.provider,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "body": self.body.decode("utf-8", "replace"),
            "status": self.status,
            "fault": self.fault,
            "changes": self.changes,
            "seconds": round(self.seconds, 6),
        }
