"""Every route of the site with an address that fits it, so that tests can walk them all."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import UUIDConverter

WORDS = {"key": "equity", "part": "outcome", "table": "trades"}  # a new <str:...> of a route needs a word here


@dataclass(frozen=True)
class Route:
    name: str
    path: str
    view: Any
    params: dict[str, Any]

    @property
    def is_api(self) -> bool:
        return self.path.startswith("api/")

    @property
    def methods(self) -> list[str]:
        """What the view takes; of a plain function all that matter are tried."""
        view_class = getattr(self.view, "cls", None) or getattr(self.view, "view_class", None)
        if view_class is None:
            return ["get", "post"]
        return [name for name in ("get", "post", "put", "patch", "delete") if hasattr(view_class, name)]

    @property
    def object_ids(self) -> list[str]:
        return [name for name, converter in self.params.items() if isinstance(converter, UUIDConverter)]

    def address(self, ids: dict[str, uuid.UUID]) -> str:
        address = "/" + self.path
        for name, converter in self.params.items():
            value = ids[name] if isinstance(converter, UUIDConverter) else WORDS[name]
            for kind in ("uuid", "str", "slug", "int"):
                address = address.replace(f"<{kind}:{name}>", str(value))
        assert "<" not in address, address
        return address


def all_routes() -> list[Route]:
    """Of the admin only the log-in: Django guards its other routes in one place."""
    found = _walk(get_resolver().url_patterns, "", "")
    return [route for route in found if route.name == "admin:login" or not route.name.startswith("admin:")]


def _walk(patterns: list[Any], path: str, space: str) -> Iterator[Route]:
    for pattern in patterns:
        here = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, here, inner)
        elif isinstance(pattern, URLPattern):
            yield Route(f"{space}{pattern.name}", here, pattern.callback, dict(pattern.pattern.converters))
