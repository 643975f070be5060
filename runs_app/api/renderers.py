"""JSON without NaN, and DRF's pages for people."""

from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer


class StrictJSONRenderer(JSONRenderer):
    """A NaN that reaches this place is a fault of ours: it raises instead of making JSON that no client reads."""

    strict = True


class BrowsableRenderer(BrowsableAPIRenderer):
    """The browsable API without HTML forms: bodies are JSON, and the raw form sends exactly that."""

    def show_form_for_method(self, view, method, request, obj):  # type: ignore[no-untyped-def]
        return False if not request.user.is_authenticated else super().show_form_for_method(view, method, request, obj)

    def render_form_for_serializer(self, serializer):  # type: ignore[no-untyped-def]
        return ""
