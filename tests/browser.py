"""A headless Chromium, spoken to through its own debugging pipe: no driver and no library is needed."""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LOCAL = ("data:", "blob:", "file:", "about:", "javascript:")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --hide-scrollbars --remote-debugging-pipe"
).split()


def needs_browser() -> str:
    """Return the browser's path, or skip the test."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"there is no browser on this machine (looked for {', '.join(NAMES)})")
    return found


@dataclass
class Page:
    """One tab: what it shows, what it complained about and what it asked of the network."""

    browser: "Browser"
    session: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    contexts: dict[tuple[str, int], str] = field(default_factory=dict)  # (session, id) → the frame that it belongs to
    sessions: set[str] = field(default_factory=set)

    def open(self, path: Path) -> None:
        self.browser.call("Page.navigate", {"url": path.resolve().as_uri()}, self.session)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page itself. Raises AssertionError where it throws."""
        self.browser.settle()
        answer = self._evaluate(expression, self.session, {})
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def evaluate_in_frame(self, expression: str) -> Any:
        """Return the value of an expression in the newest frame inside the page; None where there is none."""
        self.browser.settle()
        main = self.browser.call("Page.getFrameTree", {}, self.session)["frameTree"]["frame"]["id"]
        for (session, context), frame in reversed(self.contexts.items()):
            if frame != main:
                answer = self._evaluate(expression, session, {"contextId": context})
                if "result" in answer and "exceptionDetails" not in answer:
                    return answer["result"].get("value")
        return None

    def wait(self, expression: str, in_frame: bool = False, seconds: float = 20) -> Any:
        """Wait until an expression is true, and return its value."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            value = self.evaluate_in_frame(expression) if in_frame else self._value(expression)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"it never became true that {expression}; {self.errors}")

    def screenshot(self, path: Path) -> None:
        answer = self.browser.call("Page.captureScreenshot", {"format": "png"}, self.session)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _value(self, expression: str) -> Any:
        self.browser.settle()
        return self._evaluate(expression, self.session, {}).get("result", {}).get("value")

    def _evaluate(self, expression: str, session: str, where: dict[str, Any]) -> dict[str, Any]:
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True, **where}
        return self.browser.call("Runtime.evaluate", asked, session, may_fail=True)

    def take(self, event: dict[str, Any]) -> None:
        """Note what an event tells of errors, requests and frames."""
        method, given, session = event["method"], event.get("params", {}), event.get("sessionId", "")
        if method == "Runtime.exceptionThrown":
            details = given["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details.get("text", ""))
        elif method == "Runtime.consoleAPICalled" and given["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(item.get("value", item.get("description"))) for item in given["args"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.errors.append(given["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not given["request"]["url"].startswith(LOCAL):
            self.requests.append(given["request"]["url"])
        elif method == "Runtime.executionContextCreated":
            context = given["context"]
            if context.get("auxData", {}).get("isDefault"):
                self.contexts[session, context["id"]] = context["auxData"]["frameId"]
        elif method == "Runtime.executionContextDestroyed":
            self.contexts.pop((session, given["executionContextId"]), None)
        elif method == "Runtime.executionContextsCleared":
            self.contexts = {key: frame for key, frame in self.contexts.items() if key[0] != session}
        elif method == "Target.attachedToTarget":
            self.browser.watch(self, given["sessionId"])
        elif method == "Target.detachedFromTarget":
            self.contexts = {key: frame for key, frame in self.contexts.items() if key[0] != given["sessionId"]}


class Browser:
    """A running Chromium, with an empty profile of its own in `folder`."""

    def __init__(self, executable: str, folder: Path, width: int = 1400, height: int = 1000) -> None:
        to_browser, our_end = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in os.pipe())
        our_other_end, from_browser = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in os.pipe())

        def connect() -> None:  # Chromium reads descriptor 3 and writes descriptor 4
            os.dup2(to_browser, 3)
            os.dup2(from_browser, 4)

        command = [executable, *OPTIONS, f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank"]
        self.process = subprocess.Popen(
            command, preexec_fn=connect, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self.writing, self.reading = our_end, our_other_end
        os.set_blocking(self.reading, False)
        self.number, self.rest, self.pages = 0, b"", list[Page]()
        self.answers: dict[int, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.writing)
        os.close(self.reading)

    def page(self) -> Page:
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session)
        self.pages.append(page)
        self.watch(page, session)
        return page

    def watch(self, page: Page, session: str) -> None:
        """Listen to a page, or to a frame in it that has a process of its own, from its first moment on."""
        page.sessions.add(session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", {}, session, may_fail=True)
        attach = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        self.call("Target.setAutoAttach", attach, session, may_fail=True)
        self.call("Runtime.runIfWaitingForDebugger", {}, session, may_fail=True)

    def call(self, method: str, params: dict[str, Any], session: str = "", may_fail: bool = False) -> dict[str, Any]:
        """Send a command and return its result; what happens meanwhile is kept for `settle`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        os.write(self.writing, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        ends = time.monotonic() + 60
        while self.number not in self.answers:
            assert time.monotonic() < ends, f"the browser did not answer {method}"
            self._read(1)
        answer = self.answers.pop(self.number)
        assert may_fail or "error" not in answer, f"{method}: {answer.get('error')}"
        return dict(answer.get("result", {}))

    def settle(self) -> None:
        """Let pages take note of everything that happened."""
        self._read(0)
        while self.events:
            event = self.events.pop(0)
            for page in self.pages:
                if event.get("sessionId") in page.sessions:
                    page.take(event)

    def _read(self, seconds: float) -> None:
        if not select.select([self.reading], [], [], seconds)[0]:
            return
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.reading, 1 << 20):
                self.rest += piece
        *whole, self.rest = self.rest.split(b"\0")
        for message in map(json.loads, whole):
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                self.events.append(message)
