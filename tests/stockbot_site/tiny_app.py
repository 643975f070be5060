"""A server of ours around a small application, in a process of its own: `python -m tests.stockbot_site.tiny_app PORT`.

`/slow` answers after a second, `/big` sends 64 MB and says how far it got in `/sent`, `/echo` gives the body's length,
a socket hears nothing until it is closed. Deadlines are short. Who sends files is what stands in
the cookie; `/held` counts their slots. It says when it starts, listens and stops.
"""

import asyncio
import sys
from typing import Any

from stockbot_site import intake, server
from stockbot_site.large_bodies import Uploads
from tests.stockbot_site.tiny import LARGE, LIMIT, PIECES

intake.PACE_S, intake.LEAST_PACE = 1.5, 60_000
server.HEADER_S, server.BODY_S, server.STALL_S, server.DRAIN_S = 1.0, 2.0, 30.0, 3.0
sent = {"pieces": 0}
serving: list[server.StockBotServer] = []


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    routes = {
        "/upload": echo,
        "/slow": slow,
        "/echo": echo,
        "/sent": told,
        "/big": big,
        "/endless": endless,
        "/held": held,
    }
    answer = await routes[scope["path"]](receive, send)
    if answer is not None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})


async def who(headers: intake.Headers) -> str | None:
    name = headers[b"cookie"].decode()
    if name == "late":
        await asyncio.sleep(0.5)
    if name == "broken":
        raise OSError("no database")
    return None if name == "nobody" else name


async def slow(receive: Any, send: Any) -> bytes:
    await asyncio.sleep(1)
    return b"done"


async def echo(receive: Any, send: Any) -> bytes:
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    return str(length).encode()


async def told(receive: Any, send: Any) -> bytes:
    return str(sent["pieces"]).encode()


async def held(receive: Any, send: Any) -> bytes:
    return str(serving[0].slots.held).encode()


async def big(receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(PIECES):
        await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        sent["pieces"] += 1
    await send({"type": "http.response.body", "body": b""})


async def endless(receive: Any, send: Any) -> bytes:
    await asyncio.sleep(3600)
    return b""


async def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main() -> None:
    made = server.StockBotServer(
        application,
        endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"],
        on_start=lambda: say("started"),
        on_drain=lambda: say("draining"),
        on_stop=lambda: say("stopped"),
        body_limit=LIMIT,
        uploads=Uploads(frozenset({b"/upload"}), LARGE, who),
    )
    serving.append(made)
    made.run()
    sys.exit(made.failure or 0)


if __name__ == "__main__":
    main()
