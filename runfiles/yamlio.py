"""YAML 1.2 for configuration files: `80_20` is text, `1e-3` a number, `no` a word; duplicates and aliases refused."""

import re
from typing import Any

import yaml

MAX_BYTES = 256 * 1024


class ConfigFileError(ValueError):
    """The text is no configuration; the message is one sentence for the person who wrote it."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with the core schema of YAML 1.2 in place of 1.1's resolvers."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ConfigFileError("an alias (*name) is not allowed in a configuration file; write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if not isinstance(key, str):
                raise ConfigFileError(f"the key {key!r} must be text")
            if keys.count(key) > 1:
                raise ConfigFileError(f"the key {key!r} stands twice; keep one")
        return super().construct_mapping(node, deep)


_TAG = "tag:yaml.org,2002:"
_Loader.add_implicit_resolver(f"{_TAG}null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(r"[-+]?[0-9]+\Z"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    f"{_TAG}float",
    re.compile(
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
    ),
    list("-+.0123456789"),
)


def _int(loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node))


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(str(loader.construct_scalar(node)).lower().replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor(f"{_TAG}int", _int)
_Loader.add_constructor(f"{_TAG}float", _float)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads back as the same values."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

    def ignore_aliases(self, data: Any) -> bool:
        return True


def load(text: str) -> dict[str, Any]:
    """A configuration file as nested dicts. Raises ConfigFileError with one sentence."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ConfigFileError(f"the file is larger than {MAX_BYTES // 1024} KiB")
    try:
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigFileError(f"the file is no YAML{f' (line {mark.line + 1})' if mark else ''}") from error
    except (RecursionError, ValueError) as error:
        raise ConfigFileError(str(error) if isinstance(error, ConfigFileError) else "the file is no YAML") from error
    if not isinstance(value, dict):
        raise ConfigFileError("the file must hold a mapping of groups to fields")
    return value


def dump(value: dict[str, Any]) -> str:
    """Nested dicts as text, keys in the given order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
