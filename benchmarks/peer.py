"""A peer's process: started in the peers' own environment, asked line by line, so that calls can take turns."""

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
WORKER = Path(__file__).with_name("peer_worker.py")

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}


class PeerError(RuntimeError):
    """The peer's process could not do what it was asked; the message is its own."""


class Peer:
    """A worker with arrays of an .npz file loaded. One JSON line in, one JSON line out; close it or use `with`."""

    def __init__(self, arrays: Path, packages: list[str], python: Path = PYTHON) -> None:
        if not python.is_file():
            raise PeerError(f"the peers' environment {python} is missing; `make bench` makes it")
        command = [str(python), str(WORKER), str(arrays), *packages]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD}
        )
        self.versions: dict[str, str] = self._answer()["ready"]

    def _answer(self) -> dict[str, Any]:
        stream = self._process.stdout
        line = stream.readline() if stream else ""
        if not line:
            raise PeerError(f"the peer's process ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def run(self, name: str, **arguments: Any) -> tuple[float, Any]:
        """(CPU seconds, result) of one call. Raises PeerError."""
        stream = self._process.stdin
        if stream is None:
            raise PeerError("the peer's process has no input")
        stream.write(json.dumps({"run": name, "arguments": arguments}) + "\n")
        stream.flush()
        answer = self._answer()
        return answer["seconds"], answer["result"]

    def seconds(self, name: str, **arguments: Any) -> float:
        return self.run(name, **arguments)[0]

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
