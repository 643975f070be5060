"""Forms that Django cannot read are refused with the reason, at every address that reads one."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from accounts.models import User
from stockbot_site import errors
from stockbot_site.asgi import application
from stockbot_site.content_type import NO_BOUNDARY, NOT_UTF8, TWICE, UNREADABLE, fault_of

FORM = "multipart/form-data; boundary=B"
PLACES = ("/datasets/new", "/data", "/train", "/cv", "/backtest", "/leaks", "/calibrate", "/accounts/login",
          "/accounts/signup", "/accounts/logout", "/api/stockbot/datasets", "/api/stockbot/train",
          "/api/auth/login")  # fmt: skip
TOKEN = "a" * 32
CHARSETS = ("idna", "hex", "punycode", "undefined", "utf-16")
Send = Callable[..., Any]


def form(*fields: tuple[str, bytes], boundary: str = "B") -> bytes:
    parts = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + value + b"\r\n" for head, value in fields]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def text(name: str, value: bytes) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', value


def file(number: int) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="file"; filename="{number}.csv"', b"x"


@pytest.fixture
async def send(transactional_db: None) -> Send:
    """Posts as somebody who is logged in, through everything that a request of the server goes through."""
    from asgiref.sync import sync_to_async

    def session() -> str:
        client = Client()
        client.force_login(User.objects.create_user("alice", password="pw"))
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    cookies = {settings.SESSION_COOKIE_NAME: await sync_to_async(session)(), settings.CSRF_COOKIE_NAME: TOKEN}

    async def post(path: str, kind: str, body: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies=cookies) as client:
            return await client.post(path, content=body, headers={"Content-Type": kind.encode("latin-1")})

    return post


def sentence(answer: httpx.Response) -> str:
    """The reason that a person or a client is shown."""
    if answer.headers["content-type"].startswith("application/json"):
        assert answer.json()["errors"] == {}
        return str(answer.json()["detail"])
    if page := re.search(r"<h1>The server could not read this request</h1>\s*<p>(.*?)</p>", answer.text, re.DOTALL):
        return page.group(1).replace("&#x27;", "'")
    return answer.text


@pytest.mark.parametrize("path", PLACES)
async def test_a_charset_that_is_none_is_refused_with_a_sentence(send: Send, path: str) -> None:
    body = form(text("csrfmiddlewaretoken", TOKEN.encode()), text("x", b"a" * 70 + b"\xff"))
    for charset in CHARSETS:
        answer = await send(path, f"{FORM}; charset={charset}", body)
        assert (answer.status_code, sentence(answer)) == (415, NOT_UTF8), charset


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("kind", [
    "multipart/form-data; boundary*=nope''B", "multipart/form-data; boundary=B; charset*=hex''x",
    "application/x-www-form-urlencoded; charset=latin-1", "application/json; charset*=nope''x",
])  # fmt: skip
async def test_a_content_type_that_django_fails_on_is_refused_with_a_sentence(
    send: Send, path: str, kind: str
) -> None:  # fmt: skip
    answer = await send(path, kind, b"a=1")
    assert answer.status_code == 415 and sentence(answer) in {UNREADABLE, NOT_UTF8}


@pytest.mark.parametrize(("values", "fault"), [
    ([], ""), ([b""], ""), ([b"application/json"], ""), ([b"application/json; charset=utf-8"], ""),
    ([b'application/json;charset="UTF-8";'], ""), ([b"text/html ; a=b ; c=d"], ""), ([b"*/*"], ""),
    ([b"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"], ""),
    ([b'multipart/form-data; boundary="===============1 x=="'], ""),
    ([b"multipart/form-data; boundary================12=="], ""),
    ([b"application/json", b"application/json"], TWICE),
    ([b"json"], UNREADABLE), ([b"/"], UNREADABLE), ([b";"], UNREADABLE), ([b"a/b; c"], UNREADABLE),
    ([b"a/b; c=1; C=2"], UNREADABLE), ([b"a/b; charset="], UNREADABLE), ([b'a/b; charset="'], UNREADABLE),
    ([b"a/b; charset=a\tb"], UNREADABLE), ([b"a/b, c/d"], UNREADABLE), ([b"a/b; c=\xe9"], UNREADABLE),
    ([b"a/b; c*0=x; c*1=y"], UNREADABLE), ([b"a/b; charset=utf-7"], NOT_UTF8), ([b"a/b; charset=x"], NOT_UTF8),
    ([b"multipart/form-data"], NO_BOUNDARY), ([b'multipart/form-data; boundary=""'], NO_BOUNDARY),
    ([b"multipart/form-data; boundary=" + b"B" * 201], NO_BOUNDARY),
    ([b'multipart/form-data; boundary="B "'], NO_BOUNDARY),
])  # fmt: skip
def test_what_a_content_type_may_be(values: list[bytes], fault: str) -> None:
    assert fault_of(values) == fault


@pytest.mark.parametrize(("path", "fields", "status", "said"), [
    (path, fields, status, said)
    for path in ("/datasets/new", "/data", "/api/stockbot/datasets")
    for fields, status, said in [
        ([file(number) for number in range(201)], 400, "The form holds more than 200 files; send fewer at once."),
        ([text(f"f{number}", b"") for number in range(2000)], 400,
         "The form or the address holds more than 1,000 fields; send fewer."),
        ([text("x", b"x" * (2 << 20))], 413, "A form may hold 2,097,152 bytes beside its files; send less."),
        ([("Content-Disposition: form-data; name=x; filename=y\r\nContent-Transfer-Encoding: base64", b"===x")], 400,
         "The form could not be read: its parts do not stand as multipart/form-data writes them."),
    ]
])  # fmt: skip
async def test_too_much_is_refused_with_its_reason(
    send: Send, path: str, fields: Any, status: int, said: str
) -> None:  # fmt: skip
    answer = await send(path, FORM, form(text("csrfmiddlewaretoken", TOKEN.encode()), *fields))
    assert (answer.status_code, sentence(answer)) == (status, said)


async def test_too_many_fields_of_a_plain_form_too(send: Send) -> None:
    answer = await send("/data", "application/x-www-form-urlencoded", b"a=&" * 2001)
    assert (answer.status_code, sentence(answer)) == (
        400, "The form or the address holds more than 1,000 fields; send fewer.",
    )  # fmt: skip


class Unreadable(HttpRequest):
    """A request whose form cannot be read, however often one tries."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.method, self.path = "POST", path

    @property
    def POST(self) -> Any:
        raise AssertionError("the page for an error reads the form again")

    @POST.setter
    def POST(self, value: Any) -> None:
        pass


@pytest.mark.parametrize("path", ["/data", "/api/stockbot/train"])
@pytest.mark.parametrize(("handler", "status"), [
    ("bad_request", 400), ("permission_denied", 403), ("page_not_found", 404), ("server_error", 500),
])  # fmt: skip
def test_no_error_page_reads_the_form(handler: str, status: int, path: str) -> None:
    arguments = () if handler == "server_error" else (Exception("secret"),)
    answer = getattr(errors, handler)(Unreadable(path), *arguments)
    assert answer.status_code == status and b"secret" not in answer.content


def test_a_page_that_cannot_be_made_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> str:
        raise RuntimeError("no database")

    monkeypatch.setattr(errors.loader, "render_to_string", broken)
    answer = errors.page_not_found(Unreadable("/data"), Exception())
    assert (answer.status_code, answer.content) == (404, b"Not found.")


@pytest.mark.parametrize(("path", "taken"), [
    ("/api/stockbot/train", "application/json"), ("/api/stockbot/datasets", "multipart/form-data"),
    ("/api/auth/login", "application/json"),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
async def test_another_kind_of_body_is_told_what_is_taken(send: Send, path: str, kind: str, taken: str) -> None:
    answer = await send(path, kind, b"a=1")
    assert (answer.status_code, sentence(answer)) == (
        415, f"Send the body as {taken}, and say so in its Content-Type.",
    )  # fmt: skip
