"""A real Chromium, driven over its DevTools protocol: no driver, no Node, nothing but loopback."""

import base64
import itertools
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

from tests.e2e.running_program import wait_for
from tocsin.processes import spawn

SECONDS = 60
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The browser of this machine."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Page:
    """One tab. `requested` holds every address it asked for, `complaints` what it wrote to its console as an error."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.requested: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(SECONDS))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])
        elif message["method"] == "Network.webSocketCreated":
            self.requested.append(parameters["url"])
        elif message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif message["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(str(parameters["entry"]))

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - any JSON value
        """The value of a JavaScript expression, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """What the tab shows, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def open(self, url: str) -> None:
        """Go there."""
        self.call("Page.navigate", url=url)

    def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + SECONDS
        while not self.evaluate(f"(async () => Boolean(await ({expression})))()"):
            assert time.monotonic() < deadline, f"never: {expression}; {self.evaluate('document.body.innerText')}"
            time.sleep(0.05)

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    def click(self, element: str) -> None:
        """Click on the element a JavaScript expression gives, as a mouse does."""
        self.until(element)
        box = self.evaluate(f"({element}).getBoundingClientRect().toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **place, button="left", clickCount=1)


@contextmanager
def browser_page(program: str, *, folder: Path) -> Iterator[Page]:
    """A tab of a browser that can reach this machine alone."""
    port_file = folder / "DevToolsActivePort"
    log = folder / "browser.log"
    arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--window-size=1280,900",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        "about:blank",
    ]
    with log.open("wb") as file:
        process = spawn([program, *arguments], output=file)
    try:
        wait_for(lambda: port_file.exists() and port_file.read_text().count("\n") >= 1, log.read_text)
        port = int(port_file.read_text().splitlines()[0])
        wait_for(lambda: bool(_pages(port)), log.read_text)
        with connect(_pages(port)[0], max_size=None) as socket:
            yield Page(socket)
    finally:
        process.kill()
        process.wait(20)


def _pages(port: int) -> list[str]:
    """The addresses of the open pages; the first opens a moment after the port."""
    targets = httpx2.get(f"http://127.0.0.1:{port}/json", timeout=SECONDS).json()
    return [target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"]
