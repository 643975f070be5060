"""A bundle is opened without trusting it: by hash, by the layout table, within limits."""

import json
import random
import stat
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from runfiles import bundle, layout, manifest
from runfiles.bundle import BundleRefused, opened

FILES = {
    layout.CONFIG: "schema_version: 1\n", layout.VERSIONS: "{}", layout.DATASET: "{}", "ppo_policy.zip": "weights",
    "report/equity.csv": "time,equity\n1,2\n", "report/baselines/equal/equity.csv": "time,equity\n1,3\n",
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    manifest.write(folder)
    return folder


def packed(folder: Path, path: Path, change: Callable[[zipfile.ZipFile], None] = lambda archive: None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
        change(archive)
    return path


def test_a_zip_holds_what_the_folder_holds(run: Path, tmp_path: Path) -> None:
    def beside(archive: zipfile.ZipFile) -> None:
        archive.writestr("tb/events.out.tfevents.1", "curves")
        archive.mkdir("members/")
        archive.writestr("members/seed_3.zip", "policy")

    with opened(packed(run, tmp_path / "b.zip", beside)) as found:
        assert set(found.entries) == {
            "config", "versions", "dataset", "model", "equity", "equal.equity"
        } and not found.left_out  # fmt: skip
        assert {path.relative_to(found.folder).as_posix() for path in found.folder.rglob("*") if path.is_file()} == {
            *FILES, layout.MANIFEST, "members/seed_3.zip"
        }  # fmt: skip
        kept = found.folder
    assert not kept.exists()


def test_a_model_may_be_left_out_and_nothing_else(run: Path) -> None:
    (run / "ppo_policy.zip").unlink()
    with opened(run) as found:
        assert found.left_out == {"model"} and found.path("model") is None
        assert found.path("equity") == run / "report/equity.csv"
    (run / "report/equity.csv").unlink()
    with pytest.raises(BundleRefused, match=r"report/equity.csv is named by manifest.json and is not in the bundle"):
        bundle.verified(run)


@pytest.mark.parametrize("name", [*FILES])
def test_every_file_has_the_hash_of_the_manifest(run: Path, name: str) -> None:
    content = bytearray((run / name).read_bytes())
    content[-1] ^= 1
    (run / name).write_bytes(bytes(content))
    with pytest.raises(BundleRefused, match=f"{name} is not the file that manifest.json names"):
        bundle.verified(run)


@pytest.mark.parametrize(
    "name",
    ["../config.yaml", "/etc/passwd", "report/../../x", "report\\equity.csv", "notes.txt", "tb/../../x", "C:/x",
     "report/baselines/../equity.csv", "report/baselines/E/equity.csv", "members/x.zip", "exit.json"],
)  # fmt: skip
def test_a_name_that_the_layout_does_not_know_is_refused(run: Path, tmp_path: Path, name: str) -> None:
    path = packed(run, tmp_path / "b.zip", lambda archive: archive.writestr(name, "x"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BundleRefused, match="which is no file of a run"), opened(path):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_is_refused(run: Path, tmp_path: Path) -> None:
    def link(archive: zipfile.ZipFile) -> None:
        entry = zipfile.ZipInfo("report/orders.csv")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")

    with pytest.raises(BundleRefused, match="no regular file"), opened(packed(run, tmp_path / "b.zip", link)):
        pass


def first_changed(path: Path, at: int, value: int) -> Path:
    """With two bytes of the first member's entry, in its table and before its content, changed: what zipfile itself
    writes has no such.
    """
    content = bytearray(path.read_bytes())
    for start, shift in ((content.index(b"PK\x01\x02"), 2), (0, 0)):
        place = start + at + shift
        content[place : place + 2] = value.to_bytes(2, "little")
    path.write_bytes(bytes(content))
    return path


def test_an_encrypted_member_is_refused(run: Path, tmp_path: Path) -> None:
    path = first_changed(packed(run, tmp_path / "b.zip"), 6, 1)
    with pytest.raises(BundleRefused, match=r"member 'config\.yaml' is no regular file, or is encrypted"), opened(path):
        pass


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_packed_otherwise_is_refused(run: Path, tmp_path: Path, kind: int) -> None:
    """Though zipfile could unpack it: fewer decoders see a stranger's bytes."""

    def other(archive: zipfile.ZipFile) -> None:
        archive.writestr("report/orders.csv", "0" * 5000, compress_type=kind)

    path = packed(run, tmp_path / "b.zip", other)
    with pytest.raises(BundleRefused, match=r"member 'report/orders\.csv' is packed in a way"), opened(path):
        pass


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_of_one_name_are_refused(run: Path, tmp_path: Path) -> None:
    path = packed(run, tmp_path / "b.zip", lambda archive: archive.writestr("report/equity.csv", "other"))
    with pytest.raises(BundleRefused, match=r"holds report/equity.csv twice"), opened(path):
        pass


def test_too_much_is_refused_before_it_is_written(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(run, tmp_path / "b.zip")
    monkeypatch.setattr(bundle, "MOST_BYTES", 20)
    with pytest.raises(BundleRefused, match="at most 0 are taken"), opened(path):
        pass
    monkeypatch.setattr(bundle, "MOST_MEMBERS", 2)
    with pytest.raises(BundleRefused, match="holds 7 members; at most 2"), opened(path):
        pass


def test_what_says_it_is_smaller_than_it_is_is_refused(run: Path, tmp_path: Path) -> None:
    path = packed(run, tmp_path / "b.zip", lambda archive: archive.writestr("report/orders.csv", "0" * 5000))
    content = path.read_bytes()
    size, lie = (5000).to_bytes(4, "little"), (50).to_bytes(4, "little")
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, lie))
    with pytest.raises(BundleRefused, match="is damaged"), opened(path):
        pass


@pytest.mark.parametrize("cut", [0, 10, 300])
def test_a_torn_zip_is_refused(run: Path, tmp_path: Path, cut: int) -> None:
    path = packed(run, tmp_path / "b.zip")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BundleRefused, match="is no zip that can be read"), opened(path):
        pass


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda value: value["files"].append(dict(value["files"][0])), "names it twice"),
        (lambda value: value["files"][0].update(key="../x"), "which is no artifact"),
        (lambda value: value.update(v=2), "not in the form"),
        (lambda value: value.update(files=[item for item in value["files"] if item["key"] != "config"]), "config.yaml"),
    ],
)
def test_a_manifest_that_is_none_is_refused(
    run: Path, change: Callable[[dict[str, object]], None], sentence: str
) -> None:
    value = json.loads((run / layout.MANIFEST).read_text())
    change(value)
    (run / layout.MANIFEST).write_text(json.dumps(value))
    with pytest.raises(BundleRefused, match=sentence):
        bundle.verified(run)


def test_every_path_of_the_table_leads_back_to_its_file() -> None:
    specs = [*layout.FILES.values(), *(layout.spec_for(f"equal.{key}") for key in layout.REPORT_FILES)]
    assert all(spec is not None and layout.spec_at(spec.path) == spec for spec in specs)


def test_damaged_zips_are_refused_whatever_was_damaged(run: Path, tmp_path: Path) -> None:
    """Each with some bytes changed, most of them among the tables of members: a sentence, and no other error."""
    whole = packed(run, tmp_path / "b.zip").read_bytes()
    table, chance = whole.index(b"PK\x01\x02"), random.Random(7)
    path, kinds = tmp_path / "damaged.zip", Counter[str]()
    for _ in range(1500):
        bad = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            bad[chance.randrange(table if chance.random() < 0.8 else 0, len(bad))] = chance.randrange(256)
        path.write_bytes(bad)
        try:
            with opened(path):
                kinds["opened"] += 1
        except BundleRefused as fault:
            kinds[type(fault.__cause__).__name__] += 1
    assert {"BadZipFile", "UnicodeDecodeError"} <= set(kinds)


def test_a_zip_whose_table_ends_too_soon_is_refused(run: Path, tmp_path: Path) -> None:
    path = packed(run, tmp_path / "b.zip")
    bad = bytearray(path.read_bytes())
    first = bad.index(b"PK\x01\x02")
    bad[first + 30 : first + 32] = (5).to_bytes(2, "little")  # an extra field without room for one
    path.write_bytes(bad)
    with pytest.raises(BundleRefused), opened(path):
        pass
