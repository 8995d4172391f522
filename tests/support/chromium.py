"""A real Chromium, driven over its own protocol: pages at a width, what they log, keys, pictures, accessibility."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --hide-scrollbars --remote-debugging-port=0 "
    "--disable-features=Translate,OptimizationHints,MediaRouter --no-default-browser-check --disable-dev-shm-usage"
)


def program() -> str | None:
    """Returns the browser's path, null where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """Opens a browser with one tab, and ends it."""
    command = [str(program()), *FLAGS.split(), f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port, path = _told(folder / "DevToolsActivePort", process)
            with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None) as socket:
                yield Tab(socket)
        finally:
            process.terminate()


def _told(file: Path, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the browser ended with {process.returncode}")
        lines = file.read_text().split() if file.exists() else []
        if len(lines) == 2:
            return lines[0], lines[1]
        time.sleep(0.1)
    raise RuntimeError("the browser did not start within a minute")


class Tab:
    """One tab. ``complaints``: what the page logged or threw since it was opened."""

    def __init__(self, socket: Connection) -> None:
        self.socket, self.number, self.complaints = socket, 0, list[str]()
        self.events: list[str] = []
        self.session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """Returns the answer to a command; what happens meanwhile is noted."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        self.socket.send(json.dumps(message | ({"sessionId": self.session} if self.session else {})))
        while True:
            found = json.loads(self.socket.recv(timeout=60))
            if found.get("id") == self.number:
                if "error" in found:
                    raise RuntimeError(f"{method}: {found['error']['message']}")
                return found["result"]
            self._note(found.get("method"), found.get("params") or {})

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        self.events.append(str(method))
        if method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str([value.get("value") for value in params["args"]]))
        elif method == "Log.entryAdded":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        """Opens a page as a screen of this width shows it; below 600 as a phone does."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=phone,
                  deviceScaleFactor=2 if phone else 1)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.complaints, self.events = [], []
        self.call("Page.navigate", url=url)
        for _ in range(600):
            self.call("Runtime.getIsolateId")
            if "Page.loadEventFired" in self.events:
                return
            time.sleep(0.05)
        raise RuntimeError(f"{url} was not loaded within half a minute")

    def evaluate(self, code: str) -> Any:
        """Returns the value of a JavaScript expression; promises are awaited."""
        found = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"]["description"])
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Presses a key."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def picture(self, *, top: float = 0, height: int) -> bytes:
        """Returns a picture of so much of the page, as PNG."""
        area = {"x": 0, "y": top, "width": self.evaluate("innerWidth"), "height": height, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", clip=area, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def violations(self) -> list[str]:
        """Returns what axe-core finds wrong: rules of WCAG 2.1 A and AA and its best practices, with the elements."""
        package = find_spec("axe_core_python")
        assert package is not None
        assert package.origin is not None
        self.evaluate((Path(package.origin).parent / "axe.min.js").read_text())
        found = self.evaluate("axe.run(document).then(r => r.violations)")
        return [f"{rule['id']}: {node['target']} {node['html'][:120]}" for rule in found for node in rule["nodes"]]
