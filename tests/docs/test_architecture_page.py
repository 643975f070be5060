"""docs/architecture.md has the import table that the architecture test holds."""

from tests.docs.pages import codes, named, page, section, table
from tests.test_architecture import MAY, NEVER, OURS, ROOT

PAGE = page("docs/architecture.md")


def test_the_import_table_is_the_one_that_is_held() -> None:
    rows = {codes(row[0])[0]: (codes(row[1]), codes(row[2])) for row in table(section(PAGE, "Who may import whom"))}
    assert rows == {name: (sorted(MAY[name]), sorted(NEVER[name])) for name in MAY}


def test_every_room_is_described() -> None:
    assert named(section(PAGE, "Rooms")) == OURS


def test_where_to_begin_reading_is_there() -> None:
    for row in table(section(PAGE, "Rooms")):
        for name in codes(row[2]):
            assert (ROOT / codes(row[0])[0] / name).is_file(), f"{codes(row[0])[0]}/{name}"
