"""Zips that somebody might send: each is made from a real save, and would do harm, crash a reader, or mislead it.

A payload is a call of `open` that leaves a marker file; no marker may ever exist.
"""

import base64
import functools
import io
import json
import pickle
import struct
import subprocess
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import torch
from gymnasium import spaces
from safetensors.numpy import save as save_tensors

from rl import policy_file
from rl.policy_format import own
from rl.policy_import.reader import read_policy
from runfiles.hashes import sha256_of
from tests.rl.policy_import.saves import a2c, box, saved

MARKER = Path("hostile_policy_was_here")
"""In the folder in which a test runs."""


class Evil:
    """Leaves the marker where it is unpickled."""

    def __reduce__(self) -> Any:
        return (open, (str(MARKER), "w"))


EVIL = pickle.dumps(Evil())
Member = tuple[str | zipfile.ZipInfo, bytes]


@dataclass(frozen=True)
class Case:
    """`code`: how it must be refused."""

    name: str
    build: Callable[[], bytes]
    code: str


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(files: Mapping[str, bytes], extra: Iterable[Member] = (), method: int = zipfile.ZIP_STORED,
         comment: bytes = b"") -> bytes:  # fmt: skip
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, content in [*files.items(), *extra]:
                entry = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
                archive.writestr(entry, content, method)
            archive.comment = comment
    return buffer.getvalue()


def changed(**files: bytes | None) -> bytes:
    """The base with some members replaced, `__` standing for a point, None leaving one out."""
    renamed = {name.replace("__", "."): content for name, content in files.items()}
    return pack({name: content for name, content in {**members(saved()), **renamed}.items() if content is not None})


def pickled(content: bytes) -> dict[str, str]:
    return {":type:": "x", ":serialized:": base64.b64encode(content).decode()}


def with_data(base: bytes, **values: Any) -> bytes:
    found = members(base)
    data = json.dumps(json.loads(found["data"]) | values).encode()
    return pack({**found, "data": data})


def data(**values: Any) -> bytes:
    return with_data(saved(), **values)


def evil(key: str) -> bytes:
    return data(**{key: pickled(EVIL)})


def weights(change: Callable[[dict[str, torch.Tensor]], Any], **settings: Any) -> bytes:
    """The base with its policy.pth changed."""
    state = dict(torch.load(io.BytesIO(members(saved())["policy.pth"]), weights_only=True))
    buffer = io.BytesIO()
    found = change(state)
    torch.save(state if found is None else found, buffer, **settings)
    return changed(policy__pth=buffer.getvalue())


def bias(value: torch.Tensor) -> bytes:
    return weights(lambda state: state.update({"action_net.bias": value}))


def inner(member: str, change: Callable[[bytes], bytes], inside: str = "data.pkl") -> bytes:
    """The base with one file inside a member of torch changed."""
    found, buffer = members(saved()), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(found[member])) as before, zipfile.ZipFile(buffer, "w") as after:
        for entry in before.infolist():
            content = before.read(entry)
            after.writestr(entry.filename, change(content) if entry.filename.endswith(inside) else content)
    return pack({**found, member: buffer.getvalue()})


def info(name: str, mode: int, attributes: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, mode << 16 | attributes
    return entry


def with_extra(field: bytes) -> bytes:
    entry = zipfile.ZipInfo("system_info.txt")
    entry.extra = field
    files = members(saved())
    del files["system_info.txt"]
    return pack(files, [(entry, b"x")])


def flagged(bit: int) -> bytes:
    raw = bytearray(saved())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(signature)
        while at >= 0:
            raw[at + place] |= bit
            at = raw.find(signature, at + 4)
    return bytes(raw)


def directory_of(raw: bytes) -> int:
    return struct.unpack("<I", raw[-6:-2])[0]


def poked(at: Callable[[bytes], int], layout: str, value: int) -> bytes:
    """The base with one number of its directory or end record changed."""
    raw = bytearray(saved())
    struct.pack_into(layout, raw, at(saved()), value)
    return bytes(raw)


def overlapping() -> bytes:
    raw = bytearray(pack({"data": b"{}", "policy.pth": b"{}"}))
    second = raw.find(b"PK\x01\x02", raw.find(b"PK\x01\x02") + 4)
    struct.pack_into("<I", raw, second + 42, 0)
    return bytes(raw)


def with_gap() -> bytes:
    """Bytes between the last member and the directory, which the end record skips."""
    raw = saved()
    start = directory_of(raw)
    end = bytearray(raw[start:])
    struct.pack_into("<I", end, len(end) - 6, start + 9)
    return raw[:start] + b"<script>." + bytes(end)


def by_value() -> bytes:
    made = type("P", (object,), {"__module__": "__main__", "forward": lambda self, x: MARKER.touch()})
    return cloudpickle.dumps(made)


def kwargs(value: Any) -> bytes:
    return data(policy_kwargs=pickled(cloudpickle.dumps(value)))


def object_space() -> bytes:
    space = spaces.Box(-1, 1, (2,), np.float32)
    space.low = np.array([Evil(), Evil()], dtype=object)
    return data(observation_space=pickled(pickle.dumps(space)))


def space(changed_space: spaces.Space, **state: Any) -> bytes:
    changed_space.__dict__.update(state)
    return data(observation_space=pickled(pickle.dumps(changed_space)))


@functools.cache
def own_members() -> dict[str, bytes]:
    """Of the base as we write it; read only."""
    return members(policy_file.pack_document(read_policy(saved())[0]))


def spec(**values: Any) -> bytes:
    """A policy file of ours whose policy.json is changed."""
    found = own_members()
    told = json.loads(found["stockbot/policy.json"]) | values
    return pack({**found, "stockbot/policy.json": json.dumps(told).encode()})


def tensors(change: Callable[[dict[str, np.ndarray]], Any], *, hashed: bool = True) -> bytes:
    found, document = own_members(), read_policy(saved())[0]
    numbers = dict(document.weights)
    change(numbers)
    content = save_tensors(numbers)
    told = json.loads(found["stockbot/policy.json"])
    if hashed:
        told["weights_sha256"] = sha256_of(content)
    return pack({**found, "stockbot/policy.json": json.dumps(told).encode(), "stockbot/weights.safetensors": content})


def twin_header() -> bytes:
    """Weights whose header names one tensor twice; the library takes the second."""
    found = own_members()
    content = found["stockbot/weights.safetensors"]
    size = struct.unpack("<Q", content[:8])[0]
    header = content[8 : 8 + size].rstrip()
    name = next(iter(json.loads(header)))
    twin = header[:-1] + b"," + json.dumps({name: json.loads(header)[name]}).encode()[1:]
    made = struct.pack("<Q", len(twin)) + twin + content[8 + size :]
    told = json.loads(found["stockbot/policy.json"]) | {"weights_sha256": sha256_of(made)}
    return pack({**found, "stockbot/policy.json": json.dumps(told).encode(), "stockbot/weights.safetensors": made})


def opcodes(body: bytes) -> bytes:
    return data(policy_kwargs=pickled(b"\x80\x04" + body))


PICKLES = [
    *(Case(f"code in data.{key}", lambda key=key: evil(key), "suspicious_pickle") for key in (  # type: ignore[misc]
        "policy_class", "observation_space", "action_space", "clip_range", "lr_schedule", "learning_rate",
        "ep_info_buffer", "ep_success_buffer", "_last_obs", "_last_episode_starts", "rollout_buffer_class",
        "policy_kwargs", "clip_range_vf", "gamma", "zzz", "env")),
    Case("code below the first level", lambda: data(policy_kwargs={"a": [pickled(EVIL)]}), "suspicious_pickle"),
    Case("code beside a pickle", lambda: data(clip_range=pickled(EVIL) | {"more": pickled(EVIL)}), "suspicious_pickle"),
    Case("a class by value", lambda: data(policy_class=pickled(by_value())), "suspicious_pickle"),
    Case("a features extractor by value", lambda: kwargs({"features_extractor_class": cloudpickle.loads(by_value())}),
         "suspicious_pickle"),
    Case("an activation that is a command", lambda: kwargs({"activation_fn": __import__("os").system}),
         "suspicious_pickle"),
    Case("an optimiser that is a command", lambda: kwargs({"optimizer_class": subprocess.Popen}), "suspicious_pickle"),
    Case("bounds that are objects", object_space, "suspicious_pickle"),
    Case("four megabytes", lambda: kwargs({"a": "x" * (4 << 20)}), "too_large"),
    Case("too many steps", lambda: opcodes(b"]" + b"K\x01a" * 12_000 + b"."), "too_large"),
    Case("protocol 0", lambda: opcodes(b"cos\nsystem\n(S'true'\ntR."), "pickle"),
    Case("INST", lambda: opcodes(b"(S'true'\nios\nsystem\n."), "pickle"),
    Case("EXT1", lambda: opcodes(b"\x82\x01."), "pickle"),
    Case("a call of what is no name", lambda: opcodes(b"K\x01)R."), "pickle"),
    Case("a name made by a call", lambda: opcodes(b"\x8c\x02os)\x93."), "pickle"),
    Case("bytes behind the end", lambda: opcodes(b"}.}."), "pickle"),
    Case("no end", lambda: opcodes(b"}"), "pickle"),
    Case("one key twice", lambda: opcodes(b"}(\x8c\x01aK\x01\x8c\x01aK\x02u."), "pickle"),
    Case("two states", lambda: opcodes(b"\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R}b}b."), "pickle"),
    Case("a list in itself", lambda: opcodes(b"]\x94h\x00a."), "space"),
    Case("a memo that is not there", lambda: opcodes(b"h\x07."), "pickle"),
    Case("deep tuples", lambda: opcodes(b")" + b"\x85" * 10_000 + b"."), "space"),
    Case("no base64", lambda: data(policy_kwargs={":type:": "x", ":serialized:": "%%%"}), "pickle"),
    Case("a pickle that is a number", lambda: data(policy_kwargs={":type:": "x", ":serialized:": 7}), "pickle"),
]  # fmt: skip
JSONS = [
    Case("a key twice", lambda: changed(data=members(saved())["data"].rstrip()[:-1] + b', "clip_range": 1}'), "json"),
    Case("100,000 levels", lambda: changed(data=b"[" * 100_000), "json"),
    Case("NaN", lambda: changed(data=b'{"gamma": NaN}'), "json"),
    Case("1e400", lambda: changed(data=b'{"gamma": 1e400}'), "json"),
    Case("a list", lambda: changed(data=b"[]"), "json"),
    Case("no text", lambda: changed(data=b"\xff\xfe{}"), "json"),
    Case("nine megabytes", lambda: data(zzz="x" * (9 << 20)), "too_large"),
    Case("empty data", lambda: changed(data=b""), "json"),
]
ZIPS = [
    Case("nothing", lambda: b"", "container"),
    Case("no zip", lambda: b"MZ" + b"\0" * 1000, "container"),
    Case("a zip without members", lambda: pack({}), "container"),
    Case("HTML in front", lambda: b"<html><script>alert(1)</script>" + saved(), "container"),
    Case("bytes behind", lambda: saved() + b"GARBAGE" * 10, "container"),
    Case("a comment", lambda: pack(members(saved()), comment=b"hello"), "container"),
    Case("cut off", lambda: saved()[: len(saved()) // 2], "container"),
    Case("a gap", with_gap, "container"),
    Case("overlap", overlapping, "container"),
    Case("data twice", lambda: pack(members(saved()), [("data", b"{}")]), "container"),
    Case("DATA beside data", lambda: pack(members(saved()), [("DATA", b"{}")]), "container"),
    *(Case(f"a member {name!r}", lambda name=name: pack(members(saved()), [(name, EVIL)]), "container")  # type: ignore[misc]
      for name in ("evil.pth", "/etc/x.pth", "a/../../x.txt", "data/../data", "CON", "..", "C:\\x", "data ", "é",
                   "stockbot/x.json", "x" * 5000)),
    Case("a NUL in a name", lambda: pack(members(saved()), [("Xata0.txt", b"x")]).replace(b"Xata0", b"data\0"),
         "container"),
    Case("a link", lambda: pack(members(saved()), [(info("system_info.txt", 0o120777), b"/etc/passwd")]), "container"),
    Case("a device", lambda: pack({n: c for n, c in members(saved()).items() if n != "system_info.txt"},
                                  [(info("system_info.txt", 0o060666), b"")]), "container"),
    Case("a folder", lambda: pack({n: c for n, c in members(saved()).items() if n != "system_info.txt"},
                                  [(info("system_info.txt", 0o040755, 0x10), b"")]), "container"),
    Case("60 MiB of nothing", lambda: pack({**members(saved()), "policy.pth": b"\0" * (60 << 20)},
                                           method=zipfile.ZIP_DEFLATED), "too_large"),
    Case("1,000 members", lambda: pack(members(saved()), [(f"f{i}", b"") for i in range(1000)]), "too_large"),
    Case("encrypted", lambda: flagged(0x01), "container"),
    Case("strongly encrypted", lambda: flagged(0x40), "container"),
    Case("another packing", lambda: pack(members(saved()), method=zipfile.ZIP_BZIP2), "container"),
    Case("a second name in a field", lambda: with_extra(struct.pack("<2H", 0x7075, 6) + b"\1" + b"x" * 5), "container"),
    Case("a broken field", lambda: with_extra(struct.pack("<2H", 0x5455, 60) + b"x"), "container"),
    Case("a wrong checksum", lambda: poked(lambda raw: directory_of(raw) + 16, "<I", 7), "container"),
    Case("another size", lambda: poked(lambda raw: directory_of(raw) + 24, "<I", 7), "container"),
    Case("a size without end", lambda: poked(lambda raw: directory_of(raw) + 24, "<I", 2**32 - 2), "too_large"),
    Case("a member elsewhere", lambda: poked(lambda raw: directory_of(raw) + 42, "<I", 2**31), "container"),
    Case("a count of its own", lambda: poked(lambda raw: len(raw) - 12, "<H", 5), "container"),
    Case("a directory elsewhere", lambda: poked(lambda raw: len(raw) - 6, "<I", 2**31), "container"),
    Case("a disk of its own", lambda: poked(lambda raw: len(raw) - 18, "<H", 1), "container"),
    Case("too large", lambda: b"PK\x03\x04" + b"\0" * (64 << 20), "too_large"),
    Case("no data", lambda: changed(data=None), "missing"),
    Case("no weights", lambda: changed(policy__pth=None), "missing"),
]  # fmt: skip
WEIGHTS = [
    Case("infinite", lambda: bias(torch.full((3,), torch.inf)), "weights"),
    Case("no numbers", lambda: bias(torch.full((3,), torch.nan)), "weights"),
    Case("another shape", lambda: bias(torch.zeros(7)), "weights"),
    Case("sparse", lambda: bias(torch.eye(3).to_sparse()), "suspicious_pickle"),
    Case("half precision", lambda: bias(torch.zeros(3).half()), "weights"),
    Case("double precision", lambda: bias(torch.zeros(3).double()), "weights"),
    Case("out of order", lambda: weights(
        lambda s: s.update({"action_net.weight": torch.zeros(64, 3).t()})), "weights"),
    Case("one is missing", lambda: weights(lambda state: state.pop("value_net.bias") and None), "weights"),
    Case("one too many", lambda: weights(lambda state: state.update({"more": torch.zeros(3)})), "weights"),
    Case("no dictionary", lambda: weights(lambda state: [1, 2]), "space"),
    Case("none at all", lambda: weights(lambda state: {}), "weights"),
    Case("a parameter", lambda: weights(
        lambda s: s.update({"action_net.bias": torch.nn.Parameter(torch.zeros(3))})), "suspicious_pickle"),
    Case("the old format", lambda: weights(lambda state: None, _use_new_zipfile_serialization=False), "container"),
    *(Case(f"code in {member}", lambda member=member: inner(member, lambda _: EVIL), "suspicious_pickle")  # type: ignore[misc]
      for member in ("policy.pth", "policy.optimizer.pth", "pytorch_variables.pth")),
    Case("a storage cut off", lambda: inner("policy.pth", lambda c: c[:-4], "data/0"), "weights"),
    Case("the other byte order", lambda: inner("policy.pth", lambda _: b"big", "byteorder"), "weights"),
    Case("an offset outside", lambda: inner(
        "policy.pth", lambda c: c.replace(b"QK\x00K@K\x04\x86", b"QK\x07K@K\x04\x86")), "weights"),
]  # fmt: skip
SPACES = [
    Case("bounds that are no numbers", lambda: space(box(4), low=np.full(4, np.nan, np.float32)), "space"),
    Case("a lower bound above", lambda: space(box(4), low=np.full(4, 9, np.float32)), "space"),
    Case("bounds of another shape", lambda: space(box(4), low=np.zeros(3, np.float32)), "space"),
    Case("four dimensions", lambda: space(box(1, 1, 2, 2)), "space"),
    Case("a million elements", lambda: space(box(1000, 1000)), "too_large"),
    Case("an image", lambda: space(spaces.Box(0, 255, (8, 8, 3), np.uint8)), "unsupported"),
    Case("text", lambda: space(spaces.Text(5)), "pickle"),
    Case("a dict in a dict", lambda: space(spaces.Dict({"a": spaces.Dict({"b": box(2)})})), "space"),
    Case("a dict for MlpPolicy", lambda: space(spaces.Dict({"a": box(4)})), "space"),
    Case("more than its weights", lambda: space(box(200_000)), "weights"),
    Case("another width", lambda: space(box(5)), "weights"),
]  # fmt: skip
KINDS = [
    Case("gSDE", lambda: data(use_sde=True), "unsupported"),
    Case("A2C", a2c, "unsupported"),
    Case("CnnPolicy", lambda: data(policy_class=pickled(
        b"\x80\x04\x8c!stable_baselines3.common.policies\x8c\x14ActorCriticCnnPolicy\x93.")), "unsupported"),
    Case("another algorithm", lambda: data(policy_class=pickled(
        b"\x80\x04\x8c\x1estable_baselines3.dqn.policies\x8c\tDQNPolicy\x93.")), "unsupported"),
    Case("two extractors", lambda: kwargs({"share_features_extractor": False}), "unsupported"),
    Case("an unknown argument", lambda: kwargs({"squash": 1}), "unsupported"),
    Case("an activation that is a space", lambda: kwargs({"activation_fn": spaces.Box}), "unsupported"),
]  # fmt: skip
OWN = [
    Case("version 2", lambda: spec(version=2), "version"),
    Case("version true", lambda: spec(version=True), "version"),
    Case("another format", lambda: spec(format="x"), "version"),
    Case("an unknown field", lambda: spec(code="import os"), "json"),
    Case("an unknown policy", lambda: spec(policy="os:system"), "json"),
    Case("an unknown extractor", lambda: spec(
        features_extractor={"name": "os.system", "version": 1, "kwargs": {}}), "json"),
    Case("an extractor of a later version", lambda: spec(
        features_extractor={"name": "flatten", "version": 2, "kwargs": {}}), "version"),
    Case("arguments that it does not take", lambda: spec(
        features_extractor={"name": "flatten", "version": 1, "kwargs": {"a": 1}}), "json"),
    Case("an unknown activation", lambda: spec(activation_fn="torch.nn:Tanh"), "json"),
    Case("a layer without end", lambda: spec(net_arch={"pi": [2**40], "vf": []}), "json"),
    Case("larger than its weights", lambda: spec(net_arch={"pi": [4096, 4096], "vf": []}), "weights"),
    Case("other layers", lambda: spec(net_arch={"pi": [32, 32], "vf": [32, 32]}), "weights"),
    Case("a learning rate of text", lambda: spec(hyper={"learning_rate": "x"}), "json"),
    Case("weights of another hash", lambda: tensors(lambda n: None, hashed=False) and spec(
        weights_sha256="0" * 64), "weights"),
    Case("weights that are infinite", lambda: tensors(
        lambda n: n.update({"action_net.bias": np.full(3, np.inf, np.float32)})), "weights"),
    Case("weights of doubles", lambda: tensors(
        lambda n: n.update({"action_net.bias": np.zeros(3)})), "weights"),
    Case("one weight missing", lambda: tensors(lambda n: n.pop("action_net.bias")), "weights"),
    Case("one tensor twice", twin_header, "json"),
    Case("no weights file", lambda: pack({
        n: c for n, c in own_members().items() if n != "stockbot/weights.safetensors"}), "missing"),
    Case("an observation that it does not name", lambda: pack(
        {**own_members(), own.OBSERVATION: b"{}"}), "observation"),
]  # fmt: skip
CASES = {f"{group}: {case.name}": case for group, cases in (
    ("pickle", PICKLES), ("json", JSONS), ("zip", ZIPS), ("weights", WEIGHTS), ("space", SPACES), ("kind", KINDS),
    ("ours", OWN)) for case in cases}  # fmt: skip
