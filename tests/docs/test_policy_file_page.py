"""docs/policy-file.md says what the code writes, reads and refuses."""

import json

from rl import policy_seen
from rl.observation_layout import ObservationLayout
from rl.policy_format import fault, hyper, own, registry, space_spec, spec
from rl.policy_import import child, pickle_reader, reader
from tests.docs.pages import codes, page, section, table
from tests.rl.policy_import.hostile import own_members

PAGE = page("docs/policy-file.md")


def test_every_member_in_its_order() -> None:
    rows = table(section(PAGE, "Members"))
    assert tuple(codes(row[0])[0] for row in rows) == own.ORDER
    assert tuple(codes(row[0])[0] for row in rows if row[1] == "SB3") == own.SB3_MEMBERS


def test_every_field_of_policy_json() -> None:
    told = spec.PolicySpec.from_dict(json.loads(own_members()[spec.MEMBER])).as_dict()
    rows = table(section(PAGE, "policy.json"))
    assert {name for row in rows for name in codes(row[0])} == set(told)
    assert f"at most {spec.MOST_LAYERS} of at most {spec.MOST_WIDTH:,}" in PAGE
    assert codes(rows[0][1]) == [spec.FORMAT, "PPO"] and str(spec.VERSION) in rows[0][1]


def test_every_space_setting_and_name() -> None:
    assert [codes(row[0])[0] for row in table(section(PAGE, "Spaces"))] == [*space_spec._FLAT, "dict"]
    assert codes(section(PAGE, "Settings").split("begins with:")[1]) == list(hyper.DEFAULTS)
    rows = {row[0]: codes(row[1]) for row in table(section(PAGE, "Registry"))}
    assert rows == {
        "policies": list(registry.POLICIES),
        "features extractors": list(registry.EXTRACTORS),
        "activations": list(registry.ACTIVATIONS),
    }


def test_every_code() -> None:
    rows = {codes(row[0])[0]: row[1] for row in table(section(PAGE, "Refusals"))}
    assert rows == fault.CODES


def test_the_limits() -> None:
    told = section(PAGE, "A policy made elsewhere")
    assert f"{child.LIMITS[child.resource.RLIMIT_AS] // child.GIB} GiB of address space" in told
    assert f"{child.LIMITS[child.resource.RLIMIT_CPU]} s of processor and {child.WALL_S} s in all" in told
    assert f"at most {reader.MOST_BYTES >> 20} MiB and {reader.RULES.most_members}" in told
    assert f"at most {pickle_reader.MOST_OPCODES:,}, {pickle_reader.MOST_BYTES >> 20} MiB each" in told


def test_what_it_sees() -> None:
    keys = set(codes(section(PAGE, "observation.json"))) - {"train", "validation", "rows_sha256", "regime_sha256"}
    assert keys == {*ObservationLayout.__dataclass_fields__, policy_seen.TRAINED}
