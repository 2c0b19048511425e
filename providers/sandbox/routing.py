"""Which handler answers which method and path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from providers.sandbox.wire import Response

Handler = Callable[..., Response]


@dataclass(frozen=True)
class Route:
    """`template` may hold `{name}` places, each one path segment. `changes`: it writes or sends."""

    method: str
    template: str
    handler: Handler
    changes: bool = False


@dataclass(frozen=True)
class Match:
    """The route that fits, or none with the methods that the path does have."""

    route: Route | None
    places: dict[str, str]
    allowed: tuple[str, ...] = ()


class Routes:
    """A fixed table of routes; those without places are found in one look-up."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        templates: dict[str, dict[str, Route]] = {}
        for route in routes:
            templates.setdefault(route.template, {})[route.method] = route
        for template, methods in templates.items():
            if "{" in template:
                expression = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
                self._patterns.append((re.compile(expression), methods))
            else:
                self._exact[template] = methods

    def find(self, method: str, path: str) -> Match:
        """The route of a request."""
        methods = self._exact.get(path)
        places: dict[str, str] = {}
        if methods is None:
            for expression, candidates in self._patterns:
                if found := expression.fullmatch(path):
                    methods, places = candidates, found.groupdict()
                    break
        if methods is None:
            return Match(None, {})
        return Match(methods.get(method), places, tuple(methods))
