"""`make demo`: a training, then a backtest of its policy, through the HTTP API and the WebSocket as any client would.

Starts the server, logs in as the demo user, follows the progress, checks that the backtest's tables equal the
training's byte for byte, prints the table and the verdict, and goes on serving until Ctrl-C (EXIT=1: stops).
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import websockets

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from runs_app.presets import TRAIN_PRESETS  # the preset that the form calls Quick look

PORT = os.environ.get("PORT", "8000")
BASE = f"http://127.0.0.1:{PORT}"
API = "/api/stockbot"
COLUMNS = (("total_return", "total", "%"), ("cagr", "CAGR", "%"), ("volatility", "vol", "%"), ("sharpe", "Sharpe", ""),
           ("sortino", "Sortino", ""), ("max_drawdown", "max DD", "%"), ("turnover", "turnover", "x"),
           ("cost_drag_bps", "costs", "bps"))  # fmt: skip
START_SECONDS = 30
OVER = {"SUCCEEDED", "FAILED", "CANCELLED", "INTERRUPTED"}


class DemoError(Exception):
    """What went wrong, in one sentence."""


def manage(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *words]


@contextlib.contextmanager
def server() -> Iterator[subprocess.Popen[bytes]]:
    """The server as a process of its own, ended with SIGTERM and waited for."""
    refuse_busy_port()
    process = subprocess.Popen(manage("serve", "--port", PORT), cwd=ROOT, start_new_session=True)
    try:
        wait_until_ready(process)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def refuse_busy_port() -> None:
    """Else the demo would talk to whatever listens there. Raises DemoError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(PORT)))
        except (OSError, ValueError, OverflowError) as error:
            raise DemoError(f"Port {PORT} cannot be used ({error}); choose another with PORT=.") from error


def wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError("The server did not start; its reason stands above.")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{BASE}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise DemoError(f"The server was not ready within {START_SECONDS} s.")


class Client:
    """The API with a token that is renewed when it runs out."""

    def __init__(self, name: str, password: str) -> None:
        self._http = httpx.Client(base_url=BASE, timeout=30)
        self._log_in = {"username": name, "password": password}
        self.token = self._fresh_token()

    def _fresh_token(self) -> str:
        return str(self._checked(self._http.post("/api/auth/login", json=self._log_in)).json()["access"])

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._http.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **more)
        if answer.status_code == 401:
            self.token = self._fresh_token()
            answer = self._http.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **more)
        return self._checked(answer)

    @staticmethod
    def _checked(answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        raise DemoError(
            f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text}"
        )

    def start(self, kind: str, config: dict[str, Any]) -> str:
        return str(self.call("POST", f"{API}/{kind}", json=config).json()["id"])

    def detail(self, run: str) -> dict[str, Any]:
        return dict(self.call("GET", f"{API}/runs/{run}").json())

    def file(self, run: str, key: str) -> bytes:
        return self.call("GET", f"{API}/runs/{run}/files/{key}").content

    def tables(self, run: str) -> set[str]:
        """Keys of everything that lies under report/."""
        artifacts = self.call("GET", f"{API}/runs/{run}/artifacts").json()["artifacts"]
        return {a["key"] for a in artifacts if a["kind"] in {"table", "report"} and a["key"] != "progress"}


async def follow(client: Client, run: str, title: str) -> None:
    """Draw the run's progress from its socket until it has ended. Raises DemoError when it did not end well."""
    client.detail(run)  # renews the token
    address = f"ws://127.0.0.1:{PORT}{API}/runs/{run}/ws"
    async with websockets.connect(address, additional_headers={"Authorization": f"Bearer {client.token}"}) as socket:
        async for message in socket:
            news = json.loads(message)
            draw(title, news)
            if news["state"] in OVER:
                break
    end_line()
    detail = client.detail(run)
    if detail["state"] != "SUCCEEDED":
        raise DemoError(f"The {title} ended {detail['state']}: {detail['sentence']} See {BASE}/runs/{run}")


def draw(title: str, news: dict[str, Any]) -> None:
    progress, phase = news["progress"], news["phase"] or news["state"].lower()
    step, total = progress["step"], progress["total"]
    if not step or not total:
        line = f"{title}: {phase}"
    else:
        done = int(30 * step / total)
        rate = f"{progress['rate']:,.0f}/s" if progress["rate"] else ""
        eta = f"{progress['eta_s']:.0f} s left" if progress["eta_s"] is not None else ""
        line = f"{title}: {phase:<8} [{'#' * done:<30}] {step:,} of {total:,}  {rate}  {eta}"
    if sys.stdout.isatty():
        print(f"\r\x1b[K{line}", end="", flush=True)
    elif line != draw.__dict__.get("last"):
        print(line, flush=True)
        draw.__dict__["last"] = line


def end_line() -> None:
    if sys.stdout.isatty():
        print()


def check_equal(client: Client, training: str, backtest: str) -> int:
    """How many files the two reports have, all equal byte for byte. Raises DemoError naming the first that differs."""
    mine, theirs = client.tables(training), client.tables(backtest)
    if mine != theirs:
        raise DemoError(f"The two reports hold different tables: {', '.join(sorted(mine ^ theirs))}")
    for key in sorted(mine):
        if client.file(training, key) != client.file(backtest, key):
            raise DemoError(f"The backtest's {key} differs from the training's.")
    return len(mine)


def print_table(client: Client, run: str) -> None:
    rows = {"policy": json.loads(client.file(run, "metrics"))}
    for key in sorted(key for key in client.tables(run) if key.endswith(".metrics")):
        rows[key.removesuffix(".metrics")] = json.loads(client.file(run, key))
    print(f"\n{'':<12}" + "".join(f"{title + (' ' + unit if unit else ''):>12}" for _, title, unit in COLUMNS))
    for name, metrics in rows.items():
        print(f"{name:<12}" + "".join(f"{cell(metrics[key], unit):>12}" for key, _, unit in COLUMNS))


def cell(value: float | None, unit: str) -> str:
    if value is None:
        return "—"
    return f"{100 * value:+.2f}" if unit == "%" else f"{value:,.2f}"


def demo(client: Client) -> str:
    """Train, judge, judge again. Returns the training's id."""
    training = client.start("train", TRAIN_PRESETS[0].values | {"out_tag": "demo"})
    print(f"Training started: {BASE}/runs/{training}")
    asyncio.run(follow(client, training, "training"))
    backtest = client.start("backtest", {"run_id": training, "out_tag": "demo"})
    asyncio.run(follow(client, backtest, "backtest"))
    files = check_equal(client, training, backtest)
    print(f"The backtest of the trained policy equals the training's own report: {files} files, byte for byte.")
    return training


def end_as_by_hand(_signal: int, _frame: FrameType | None) -> None:
    """TERM and a closed terminal end the demo and its server as Ctrl-C does, also where a shell had INT ignored."""
    raise KeyboardInterrupt


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_as_by_hand)
    credentials = subprocess.run(manage("demo_user"), cwd=ROOT, capture_output=True, text=True, check=False)
    if credentials.returncode:
        print(credentials.stderr.strip(), file=sys.stderr)
        return 1
    name, password = credentials.stdout.splitlines()[:2]
    try:
        with server() as process:
            print(f"Log in as {name} with the password {password} (kept in .demo-password)")
            client = Client(name, password)
            run = demo(client)
            print_table(client, run)
            print(f"\nVERDICT: {client.detail(run)['verdict']['sentence']}")
            page = f"{BASE}/runs/{run}/report"
            if os.environ.get("EXIT") == "1":
                print(f"\nReport: {page} once `make serve` runs.")
                return 0
            print(f"\nReport: {page}")
            print("Serving until Ctrl-C.", flush=True)
            process.wait()
            raise DemoError(f"The server ended by itself with code {process.returncode}.")
    except DemoError as error:
        end_line()
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        end_line()
    return 0


if __name__ == "__main__":
    sys.exit(main())
