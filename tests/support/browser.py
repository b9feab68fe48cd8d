"""A headless Chromium for tests, driven by the W3C WebDriver protocol over HTTP.

Spoken here directly, for the few commands that are needed: there is nothing to install but the
browser and its driver, which come from the system's packages (chromium, chromium-driver).
"""

import asyncio
import base64
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
START_S = 30.0
WAIT_S = 30.0
_TICK_S = 0.02
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver section 12.2
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
)
_PORT = re.compile(rb"started successfully on port (\d+)")


def browser_program() -> str | None:
    """The browser of this machine, if it has one and its driver."""
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    return found[0] if found and shutil.which(DRIVER) else None


@contextmanager
def driver(log: Path) -> Iterator[int]:
    """The driver on a port of its own, until the block ends; what it says goes to `log`."""
    with log.open("wb") as said:
        process = subprocess.Popen((DRIVER, "--port=0"), stdout=said, stderr=said)
    try:
        yield _port(process, log)
    finally:
        process.terminate()
        process.wait(START_S)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + START_S
    while not (found := _PORT.search(log.read_bytes())):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the driver did not start: {log.read_text()}")
        time.sleep(_TICK_S)
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Browser:
    """One window of a browser without any history."""

    client: ClientSession
    url: str  # of the driver's session

    async def open(self, url: str) -> None:
        """Go there."""
        await self._post("url", {"url": url})

    async def run(self, script: str, *arguments: object) -> Any:
        """What a script returns; a promise is awaited."""
        return await self._post("execute/sync", {"script": script, "args": arguments})

    async def wait(self, script: str, *arguments: object) -> Any:
        """Wait until a script gives something true, and give that; AssertionError after 30 s."""
        deadline = time.monotonic() + WAIT_S
        while not (found := await self.run(script, *arguments)):
            if time.monotonic() > deadline:
                text = await self.run("return document.body.innerText")
                raise AssertionError(f"it never came to: {script}\n{text[:2000]}")
            await asyncio.sleep(_TICK_S)
        return found

    async def text(self, selector: str) -> str:
        """The shown text of the first element, once there is one."""
        script = "return document.querySelector(arguments[0])?.innerText"
        return str(await self.wait(script, selector))

    async def texts(self, selector: str) -> list[str]:
        """The shown texts of all elements there are."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)"
        return list(await self.run(script, selector))

    async def click(self, selector: str) -> None:
        """Click the first element, as a person would."""
        await self._post(f"element/{await self._element(selector)}/click", {})

    async def type(self, selector: str, text: str) -> None:
        """Type into an element; for a file input, choose these paths (one a line)."""
        await self._post(f"element/{await self._element(selector)}/value", {"text": text})

    async def press(self, *keys: str) -> None:
        """Press and release keys, one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        sources = [{"type": "key", "id": "keyboard", "actions": actions}]
        await self._post("actions", {"actions": sources})

    async def devtools(self, command: str, **parameters: object) -> Any:
        """A command of Chrome's own protocol."""
        return await self._post("goog/cdp/execute", {"cmd": command, "params": parameters})

    async def before_each_page(self, script: str) -> None:
        """Run a script in each page before the page's own."""
        await self.devtools("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def colours(self, scheme: str) -> None:
        """Prefer `light` or `dark`."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        await self.devtools("Emulation.setEmulatedMedia", features=features)

    async def screen(self, width: int, height: int, *, is_phone: bool = False) -> None:
        """Have a screen of this size in CSS pixels."""
        await self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_phone,
        )

    async def screenshot(self, path: Path) -> None:
        """Write a picture (PNG) of the whole page."""
        found = await self.devtools(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True
        )
        await asyncio.to_thread(path.write_bytes, base64.b64decode(found["data"]))

    async def complaints(self) -> list[str]:
        """What the browser's console said since it was last asked, from warnings on."""
        return [entry["message"] for entry in await self._post("se/log", {"type": "browser"})]

    async def _element(self, selector: str) -> str:
        wanted: dict[str, object] = {"using": "css selector", "value": selector}
        deadline = time.monotonic() + WAIT_S
        while not (found := await self._post("elements", wanted)):
            if time.monotonic() > deadline:
                raise AssertionError(f"there is no {selector}")
            await asyncio.sleep(_TICK_S)
        return str(found[0][_ELEMENT])

    async def _post(self, command: str, body: dict[str, object]) -> Any:
        async with self.client.post(f"{self.url}/{command}", json=body) as response:
            value = (await response.json())["value"]
        if response.status != 200:
            raise AssertionError(f"{command}: {value['error']}: {value['message']}")
        return value


@asynccontextmanager
async def browsing(port: int, profile: Path) -> AsyncIterator[Browser]:
    """A fresh browser by the driver at `port`, its files in `profile`, until the block ends."""
    options = {
        "binary": browser_program(),
        "args": [*_FLAGS, f"--user-data-dir={profile}"],
    }
    wanted = {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "WARNING"},
    }
    async with ClientSession() as client:
        root = f"http://127.0.0.1:{port}/session"
        async with client.post(root, json={"capabilities": {"alwaysMatch": wanted}}) as response:
            value = (await response.json())["value"]
        if response.status != 200:
            raise AssertionError(f"the browser did not start: {value['message']}")
        browser = Browser(client, f"{root}/{value['sessionId']}")
        try:
            yield browser
        finally:
            async with client.delete(browser.url):
                pass
