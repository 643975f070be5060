"""Zips of a policy, each broken somewhere: container, JSON, a pickle, the weights; some with code put in.

Half of them stay whole zips with right checksums, so that what is broken lies behind the container's rules.
"""

import base64
import copy
import functools
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from marketdata.splits import Range
from rl import policy_file
from rl.policy_format import own, spec
from runfiles.hashes import sha256_of
from tests.rl.planted import planted, task_of
from tests.rl.policy_import.hostile import EVIL, members, own_members, pack
from tests.rl.policy_import.saves import saved
from tests.rl.test_policy_file import LEARNED, trained

BASES = ("box, discrete", "dict, multi-discrete", "dict, box")
_CALL = EVIL.rstrip(b".")
"""The steps that leave the payload's result on the stack, without the protocol's two bytes where it is put inside."""
VALUES: tuple[Any, ...] = (None, 0, -1, 1, 2, 7, 1e300, "", "x" * 60, [], {}, [["a", 1]], [1, 2], ["a"], True,
                           "2001-01-01", 64)  # fmt: skip

Chance = np.random.Generator


def mutants(count: int, seed: int) -> Iterator[bytes]:
    """`count` zips from one seed, in an order that does not depend on the count."""
    chance = np.random.default_rng(seed)
    bases = [saved(kind) for kind in BASES] + [pack(own_members())]
    opened = [members(base) for base in bases]
    trained_members()
    for _ in range(count):
        place = int(chance.integers(len(bases)))
        how = WAYS[int(chance.integers(len(WAYS)))]
        yield how(chance, bases[place], opened[place])


def scrambled(chance: Chance, content: bytes) -> bytes:
    """Up to eight small changes: a flipped bit, another byte, a piece cut out, doubled, put in, or the payload."""
    found = bytearray(content)
    for _ in range(int(chance.integers(1, 9))):
        if not found:
            break
        at, size = int(chance.integers(len(found))), int(chance.integers(1, 33))
        kind = int(chance.integers(6))
        if kind == 0:
            found[at] ^= 1 << int(chance.integers(8))
        elif kind == 1:
            found[at] = int(chance.integers(256))
        elif kind == 2:
            del found[at : at + size]
        elif kind == 3:
            found[at:at] = found[at : at + size]
        elif kind == 4:
            found[at:at] = chance.bytes(size)
        else:
            found[at:at] = _CALL[2 * int(chance.integers(2)) :]
    return bytes(found)


def raw(chance: Chance, base: bytes, files: dict[str, bytes]) -> bytes:
    """Anywhere in the file."""
    return scrambled(chance, base)


def ends(chance: Chance, base: bytes, files: dict[str, bytes]) -> bytes:
    """In the directory and the end record, which are few bytes of many."""
    at = len(base) - int(chance.integers(1, 700))
    return base[:at] + scrambled(chance, base[at:])


def member(chance: Chance, base: bytes, files: dict[str, bytes]) -> bytes:
    """In one member, packed again with its right checksum."""
    name = sorted(files)[int(chance.integers(len(files)))]
    return pack(files | {name: scrambled(chance, files[name])})


def of_data(chance: Chance, base: bytes, files: dict[str, bytes]) -> bytes:
    """In one attribute of `data`: its pickle, or a plain value."""
    values: dict[str, Any] = json.loads(files["data"])
    key = sorted(values)[int(chance.integers(len(values)))]
    value = values[key]
    if isinstance(value, dict) and ":serialized:" in value:
        content = scrambled(chance, base64.b64decode(value[":serialized:"]))
        values[key] = value | {":serialized:": base64.b64encode(content).decode()}
    else:
        values[key] = [None, -1, 1e308, "x", [[]], {":serialized:": base64.b64encode(EVIL).decode()}, True, 2**62][
            int(chance.integers(8))
        ]
    return pack(without_ours(files) | {"data": json.dumps(values).encode()})


def of_weights(chance: Chance, base: bytes, files: dict[str, bytes]) -> bytes:
    """In one file of a member of torch, packed again."""
    names = [name for name in sorted(files) if name.endswith(".pth")]
    name, buffer = names[int(chance.integers(len(names)))], io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(files[name])) as before, zipfile.ZipFile(buffer, "w") as after:
        inside = before.namelist()
        broken = {0: inside[0]}.get(int(chance.integers(2)), inside[int(chance.integers(len(inside)))])
        for each in inside:
            content = before.read(each)
            after.writestr(zipfile.ZipInfo(each), scrambled(chance, content) if each == broken else content)
    return pack(without_ours(files) | {name: buffer.getvalue()})


def of_policy(chance: Chance, base: bytes, files: dict[str, bytes]) -> bytes:
    """In one value of our own policy.json, or in its text."""
    files = own_members()
    told: dict[str, Any] = json.loads(files["stockbot/policy.json"])
    if chance.integers(2):
        return pack(files | {"stockbot/policy.json": scrambled(chance, files["stockbot/policy.json"])})
    key = sorted(told)[int(chance.integers(len(told)))]
    told[key] = [None, 0, -1, 1e300, "", "x" * 500, [], {}, {"name": 1}, [[1]], True][int(chance.integers(11))]
    return pack(files | {"stockbot/policy.json": json.dumps(told).encode()})


def of_seen(chance: Chance, base: bytes, files: dict[str, bytes]) -> bytes:
    """In one or two values, at any depth, of what a policy of ours says of itself and of what it sees."""
    files = dict(trained_members())
    name = (spec.MEMBER, own.OBSERVATION, own.OBSNORM)[int(chance.integers(3))]
    value = json.loads(files[name])
    for _ in range(int(chance.integers(1, 3))):
        holder, key = places(value)[int(chance.integers(len(places(value))))]
        holder[key] = copy.deepcopy(VALUES[int(chance.integers(len(VALUES)))])
    files[name] = json.dumps(value).encode()
    if name == own.OBSERVATION:
        told = json.loads(files[spec.MEMBER]) | {"observation_sha256": sha256_of(files[name])}
        files[spec.MEMBER] = json.dumps(told).encode()
    return pack(files)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every object or list in a JSON value with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@functools.cache
def trained_members() -> dict[str, bytes]:
    """Of a policy of ours that tells what it sees."""
    task = task_of(planted(n_bars=300, n_assets=3), Range(20, 200))
    return members(policy_file.pack(trained(task), task.normaliser, task.layout, LEARNED))


def without_ours(files: dict[str, bytes]) -> dict[str, bytes]:
    """So that SB3's members are read at all."""
    return {name: content for name, content in files.items() if not name.startswith("stockbot/")}


WAYS: tuple[Callable[[Chance, bytes, dict[str, bytes]], bytes], ...] = (
    raw, ends, member, of_data, of_data, of_weights, of_policy, of_seen,
)  # fmt: skip
