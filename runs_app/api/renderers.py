"""DRF's pages for people, under our Content-Security-Policy."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer

_STYLE = re.compile(r' style="[^"]*"')


class BrowsableRenderer(BrowsableAPIRenderer):
    """Without the style attributes and the style sheet that DRF's template writes into the page.

    What a user wrote cannot match: its quotes are escaped in the page.
    """

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context(*args, **kwargs), "code_style": ""}

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        return _STYLE.sub("", super().render(data, accepted_media_type, renderer_context))
