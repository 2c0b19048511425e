"""`python -m providers.sandbox --port N`: run the sandbox until it is interrupted."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from providers.sandbox.server import HOST, SandboxServer


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m providers.sandbox",
        description="Stands in for the messaging providers, on this machine only.",
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--host", default=HOST, help=f"only {HOST} is accepted")
    parser.add_argument("--data", type=Path, metavar="FILE", help="keep what the sandbox holds in this file")
    parser.add_argument(
        "--key",
        default=os.environ.get("SANDBOX_KEY", ""),
        help="the API key it accepts, also from SANDBOX_KEY; made up and printed when left out",
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="delay of every answer")
    parser.add_argument(
        "--maturity", type=float, default=10.0, metavar="SECONDS", help="from a send to its last delivery state"
    )
    parser.add_argument(
        "--limits", action="store_true", help="answer 429 where a provider's documented rate is exceeded"
    )
    options = parser.parse_args(arguments)
    if options.host != HOST:
        parser.error(f"The sandbox listens on {HOST} only, not on {options.host}.")
    if not 0 <= options.port <= 65535:
        parser.error("--port must be between 0 and 65535.")
    if options.latency_ms < 0 or options.maturity < 0:
        parser.error("--latency-ms and --maturity cannot be negative.")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, then save. Returns the exit status."""
    options = parse(arguments)
    key = options.key or secrets.token_urlsafe(24)
    try:
        sandbox = SandboxServer(
            options.port,
            key=key,
            host=options.host,
            maturity=options.maturity,
            latency=options.latency_ms / 1000,
            data=options.data,
            limits=options.limits,
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with sandbox:
        lines = [f"Sandbox: {sandbox.url()}/", *(f"  {slug}: {sandbox.url(slug)}" for slug in sandbox.dialects)]
        if not options.key:
            lines.append(f"  key: {key}")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
