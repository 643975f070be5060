"""`seeds.json`: what is written is read, and nothing else."""

from pathlib import Path

import pytest

from runfiles import layout, seed_list

FILES = {3: "a" * 64, 0: "b" * 64}


def test_it_reads_back_in_its_order_under_its_hash(tmp_path: Path) -> None:
    seed_list.write(tmp_path, FILES)
    assert list(seed_list.read(tmp_path, seed_list.sha256_of_list(FILES)).items()) == list(FILES.items())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "not in the form"),
        (b'{"v":2,"seeds":[]}', "not in the form"),
        (b'{"v":1,"seeds":[{"seed":"../x","sha256":"a"},{"seed":1,"sha256":"b"}]}', "not in the form"),
        (b'{"v":1,"seeds":[{"seed":true,"sha256":"a"},{"seed":1,"sha256":"b"}]}', "not in the form"),
        (b'{"v":1,"seeds":[{"seed":-1,"sha256":"a"},{"seed":1,"sha256":"b"}]}', "not in the form"),
        (b'{"v":1,"seeds":[{"seed":1,"sha256":"a"}]}', "must name 2 to 16 seeds"),
        (b'{"v":1,"seeds":[{"seed":1,"sha256":"a"},{"seed":1,"sha256":"b"}]}', "must name 2 to 16 seeds"),
        (b"{", "no JSON"),
    ],
)
def test_what_is_no_list_of_seeds_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / layout.SEEDS_LIST).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        seed_list.read(tmp_path)


def test_another_list_or_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        seed_list.read(tmp_path)
    seed_list.write(tmp_path, FILES)
    with pytest.raises(ValueError, match="its sha256 differs"):
        seed_list.read(tmp_path, "0" * 64)
