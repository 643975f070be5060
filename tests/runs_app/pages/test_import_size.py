"""The page takes no larger result than the API: its own bound holds, whatever the intake of forms lets through."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from runs_app import result_pages
from runs_app.models import Run
from tests.runs_app.pages.test_import import defaults


@pytest.mark.parametrize(("size", "status"), [(40, 302), (41, 400)])
def test_a_file_above_the_bound_is_refused(
    person: Client, samples: Path, monkeypatch: pytest.MonkeyPatch, size: int, status: int
) -> None:
    monkeypatch.setattr(result_pages, "MOST_RESULT_BYTES", 40)
    content = b"date,equity\n".ljust(size, b"1")
    form: dict[str, Any] = defaults(person) | {"file": SimpleUploadedFile("mine.csv", content)}
    answer = person.post("/import", form)
    assert answer.status_code == status
    assert Run.objects.count() == (status == 302)
    if status == 400:
        assert result_pages.TOO_LARGE in answer.content.decode()
