"""A headless Chromium, driven by its DevTools protocol: what a person sees and does on a page."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect

from sandbox.apt import apt

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    # It asks for its maker's hosts otherwise, at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--remote-debugging-port=0",
)


async def executable() -> str:
    """Chromium's executable; as root it is installed where there is none."""
    found = _there()
    if found is None:
        for arguments in (("update",), ("install", "-y", "--no-install-recommends", "chromium")):
            await apt(arguments)
        found = _there()
    assert found is not None, "these tests need Chromium: apt-get install chromium"
    return found


def _there() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """`async with Page() as page`. `complaints` are errors of scripts and what the content policy kept out."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._profile = Path(tempfile.mkdtemp(prefix="tidegate-chromium-"))
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        command = await executable()
        quiet = asyncio.subprocess.DEVNULL
        arguments = (*_FLAGS, f"--user-data-dir={self._profile}", "about:blank")
        self._process = await asyncio.create_subprocess_exec(command, *arguments, stdout=quiet, stderr=quiet)
        port = await self._port()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            pages = (await http.get(f"http://127.0.0.1:{port}/json/list")).json()
        address = next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
        self._socket = await connect(address, max_size=None, proxy=None)
        self._reading = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Log"):
            await self.send(f"{domain}.enable")
        return self

    async def __aexit__(self, *error: object) -> None:
        with suppress(Exception):
            await self.send("Browser.close")
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), 10)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One call of the protocol, and its answer."""
        assert self._socket is not None
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        return await asyncio.wait_for(self._answers[number], 60)

    async def go(self, address: str) -> None:
        """Open an address and wait until it is there."""
        await self.send("Page.navigate", url=address)
        await self.until(
            f"location.href.startsWith({address.partition('#')[0]!r}) && document.readyState == 'complete'"
        )

    async def value(self, script: str) -> Any:
        """What an expression is."""
        found = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, script: str, within: float = 60.0) -> Any:
        """The expression's value as soon as it is true."""
        deadline = time.monotonic() + within
        while True:
            with suppress(AssertionError):  # the page is just being replaced
                if found := await self.value(script):
                    return found
            if time.monotonic() > deadline:
                raise AssertionError(f"never: {script}\n{await self.text()}")
            await asyncio.sleep(0.05)

    async def text(self) -> str:
        """All that can be read on the page."""
        return str(await self.value("document.body.innerText"))

    async def shows(self, text: str, within: float = 60.0) -> None:
        """Returns as soon as the text can be read."""
        await self.until(f"document.body.innerText.includes({json.dumps(text)})", within)

    async def fill(self, name: str, text: str) -> None:
        """Type into the field of that name, as a keyboard would."""
        await self.value(f"document.querySelector('[name={name}]').focus()")
        await self.send("Input.insertText", text=text)

    async def press(self, key: str, code: int) -> None:
        """Press a key: its name and its virtual key code."""
        text = {"text": "\r"} if key == "Enter" else {}
        await self.send("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    async def click(self, selector: str) -> None:
        """Click the first that fits."""
        await self.value(f"document.querySelector({json.dumps(selector)}).click()")

    async def look(self, *, width: int, height: int, dark: bool = False, mobile: bool = False) -> None:
        """The window's size and the theme that the person prefers."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self, path: Path, *, whole: bool = False) -> None:
        """A screenshot of the window, or of the whole page."""
        await asyncio.sleep(0.3)
        found = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(found["data"]))

    async def _port(self) -> str:
        place = self._profile / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while not (place.exists() and place.read_text().strip()):
            assert time.monotonic() < deadline, "Chromium did not start"
            await asyncio.sleep(0.05)
        return place.read_text().splitlines()[0]

    async def _read(self) -> None:
        assert self._socket is not None
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message.get("result", {}))
            elif message["method"] == "Runtime.exceptionThrown":
                self.complaints.append(str(message["params"]["exceptionDetails"].get("exception")))
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                entry = message["params"]["entry"]
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
