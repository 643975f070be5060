"""A page as a person finds it: fields by name with what stands in them, the sentences beside them, the words."""

from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Field:
    """`values` are what a browser would send; `errors` the sentences beside the field; `invalid` its mark."""

    values: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    invalid: bool = False


class Reading(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, Field] = defaultdict(Field)
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._owner = ""
        self._select = ""
        self._drawn: list[str] = []
        self._text = ""
        self._in_error = False
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def form(self) -> dict[str, Any]:
        """What the page's form would send, as the test client takes it."""
        return {name: found.values for name, found in self.fields.items() if found.values}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        name = found.get("name") or ""
        if found.get("data-name"):
            self._owner = found["data-name"] or ""
        if tag in ("input", "select", "textarea") and name:
            self.fields[name].invalid |= "aria-invalid" in found
        if tag == "input" and name:
            self._read_input(self.fields[name], found)
        elif tag == "select":
            self._select, self._drawn = name, []
        elif tag == "option" and self._select:
            self.fields[self._select].options.append(found.get("value") or "")
            if not self._drawn or "selected" in found:
                self._drawn = [found.get("value") or ""]
        elif tag == "textarea":
            self._text = name
            self.fields[name].values = [""]
        self._in_error = "sb-error" in (found.get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            self.fields[self._select].values += self._drawn[:1]
            self._select = ""
        if tag == "textarea":
            self._text = ""
        if tag == "p":
            self._in_error = False

    def handle_data(self, data: str) -> None:
        if self._text:
            self.fields[self._text].values = [data]
        if self._in_error and data.strip():
            self.fields[self._owner].errors.append(data.strip())
        self.words.append(data)

    @staticmethod
    def _read_input(known: Field, found: dict[str, str | None]) -> None:
        if found.get("type") in ("checkbox", "radio"):
            value = found.get("value") or "on"
            known.options.append(value)
            if "checked" in found:
                known.values.append(value)
        else:
            known.values = [found.get("value") or ""]
