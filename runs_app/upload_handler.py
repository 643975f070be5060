"""Files of a form on their way to disk: streamed, hashed and counted, under names of our own."""

import hashlib
import tempfile
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from marketdata.files.limits import MAX_BYTES, MAX_NAME

PREFIX = "part-"
NO_FORM = "The form could not be read: its parts do not stand as multipart/form-data writes them."
LONG_TEXT = "A text field of the form holds too much; files go into the field file."


class FilesTooLarge(RequestDataTooBig):
    """The files of one form hold more than is taken; one sentence. Django's own is of its text fields."""


class DiskUpload(UploadedFile):  # type: ignore[type-arg]  # generic in the stubs alone
    """A file below media/tmp that goes with its request unless somebody links it elsewhere. `sha256` of its bytes."""

    def __init__(self, name: str, field: str, content_type: str) -> None:
        file = tempfile.NamedTemporaryFile(prefix=PREFIX, dir=settings.TMP_ROOT)  # noqa: SIM115 - closed with its request
        super().__init__(file, shortened(name), content_type, 0)
        self.field = field
        self.sha256 = ""
        self.path: str = file.name


class DiskUploadHandler(FileUploadHandler):
    """Django's own writes small files to memory, and takes a part of the sender's name into the file's."""

    chunk_size = 64 * 1024

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._total = 0
        self._file: DiskUpload | None = None
        self._digest = hashlib.sha256()

    def new_file(self, field_name: str, file_name: str, content_type: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, content_type, *args, **kwargs)
        settings.TMP_ROOT.mkdir(parents=True, exist_ok=True)
        self._file, self._digest = DiskUpload(file_name, field_name, content_type), hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._total += len(raw_data)
        if self._total > MAX_BYTES:
            self.upload_interrupted()
            raise FilesTooLarge(f"The files hold more than {MAX_BYTES:,} bytes.")
        assert self._file is not None
        self._file.write(raw_data)
        self._digest.update(raw_data)

    def file_complete(self, file_size: int) -> DiskUpload | None:
        found, self._file = self._file, None
        if found is not None:
            found.flush()
            found.seek(0)
            found.size, found.sha256 = file_size, self._digest.hexdigest()
        return found

    def upload_interrupted(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def disk_files(request: Any, field: str) -> list[DiskUpload]:
    """The files of a form's field, as the handler above left them."""
    return [file for file in request.FILES.getlist(field) if isinstance(file, DiskUpload)]


def shortened(name: str) -> str:
    """The name as a label: its last part, printable, not too long. It never becomes a path of ours."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter if letter.isprintable() else "_" for letter in last)[-MAX_NAME:] or "file"
