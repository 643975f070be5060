"""The database's own refusal to move a run out of an end.

Installed after every migration and not inside one: SQLite rebuilds a table to alter it and drops its triggers then.
"""

from typing import Any

from django.db import connections

_TERMINAL = "('SUCCEEDED', 'FAILED', 'CANCELLED', 'INTERRUPTED')"

_SQLITE = (
    "DROP TRIGGER IF EXISTS runs_app_run_absorbs",
    f"""CREATE TRIGGER runs_app_run_absorbs BEFORE UPDATE OF state ON runs_app_run
        WHEN OLD.state IN {_TERMINAL} AND NEW.state <> OLD.state
        BEGIN SELECT RAISE(ABORT, 'a run that has ended keeps its state'); END""",
)

_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION runs_app_run_absorbs() RETURNS trigger AS $$
       BEGIN RAISE EXCEPTION 'a run that has ended keeps its state' USING ERRCODE = 'check_violation'; END
       $$ LANGUAGE plpgsql""",
    "DROP TRIGGER IF EXISTS runs_app_run_absorbs ON runs_app_run",
    f"""CREATE TRIGGER runs_app_run_absorbs BEFORE UPDATE OF state ON runs_app_run FOR EACH ROW
        WHEN (OLD.state IN {_TERMINAL} AND NEW.state IS DISTINCT FROM OLD.state)
        EXECUTE FUNCTION runs_app_run_absorbs()""",
)

STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}


def install(*, using: str, **_: Any) -> None:
    """Put the triggers in place, whether or not they are there."""
    connection = connections[using]
    if "runs_app_run" not in connection.introspection.table_names():
        return  # migrated back to nothing
    with connection.cursor() as cursor:
        for statement in STATEMENTS.get(connection.vendor, ()):
            cursor.execute(statement)
