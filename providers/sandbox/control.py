"""The control API under `/_sandbox/`: faults, state, requests, reset, clock, messages from people, the portal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from providers.sandbox.faults import Fault
from providers.sandbox.wire import Request, Response, json_response

if TYPE_CHECKING:
    from providers.sandbox.server import SandboxServer


class BadRequest(ValueError):
    """What the caller did wrong, in words."""


def answer_control(sandbox: SandboxServer, request: Request) -> Response:
    """Carry out one control request. JSON in, JSON out; writing needs `Content-Type: application/json`."""
    try:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["faults"]:
                return json_response(200, {"faults": [fault.as_dict() for fault in sandbox.faults.planned()]})
            case "POST", ["faults"]:
                fault = Fault.from_mapping(read_json(request))
                if fault.provider and not sandbox.has(fault.provider):
                    raise BadRequest(f"there is no provider {fault.provider}")
                sandbox.faults.add(fault)
                return json_response(201, fault.as_dict())
            case "DELETE", ["faults"]:
                sandbox.faults.clear()
                return json_response(200, {"faults": []})
            case "GET", ["state", slug] if sandbox.has(slug):
                state = sandbox.dialects[slug].state
                with state.lock:
                    return json_response(200, state.dump())
            case "GET", ["requests"]:
                return json_response(200, {"requests": [row.as_dict() for row in sandbox.requests]})
            case "POST", ["inbound", slug] if sandbox.has(slug):
                return json_response(201, sandbox.dialects[slug].receive(read_json(request)))
            case "POST", ["portal", slug] if sandbox.has(slug):
                return json_response(200, sandbox.dialects[slug].set_up(read_json(request)))
            case "POST", ["reset"]:
                read_json(request)
                sandbox.reset()
                return json_response(200, {})
            case "POST", ["clock"]:
                seconds = read_json(request).get("advance")
                if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
                    raise BadRequest("advance must be a number of seconds, not negative")
                sandbox.advance(seconds)
                return json_response(200, {"now": sandbox.clock.now()})
            case _:
                return json_response(404, {"error": "no such control"})
    except ValueError as error:
        return json_response(400, {"error": str(error)})


def read_json(request: Request) -> dict[str, Any]:
    """The JSON object of the body; an empty body counts as {}. The type is required so that no web page can send it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("Content-Type must be application/json")
    data = json.loads(request.body or b"{}")
    if not isinstance(data, dict):
        raise BadRequest("the body must be a JSON object")
    return data
