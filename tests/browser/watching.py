"""What browser tests share: watching a page for faults, and waiting for the demo to have something to show."""

from playwright.sync_api import ConsoleMessage, Page, Request, expect

CHROMIUM_SPEAKS_OF_401 = "status of 401"


class Watch:
    """Collects everything that went wrong in a page: errors of scripts, of the console, of requests.

    refusals: answers 401 are what the test is about; the browser reports them by itself.
    """

    def __init__(self, page: Page, refusals: bool = False) -> None:
        self.faults: list[str] = []
        self._refusals = refusals
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("console", self._on_console)
        page.on("requestfailed", self._on_failed)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self._refusals and CHROMIUM_SPEAKS_OF_401 in message.text:
            return
        self.faults.append(f"console: {message.text}")

    def _on_failed(self, request: Request) -> None:
        # A page that is left gives its open requests up.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"request: {request.url} {request.failure}")


def open_page(page: Page, path: str) -> None:
    """Go to a page and wait until it shows the engine's state."""
    page.goto(path)
    expect(page.locator("main > :not([aria-busy])").first).to_be_visible(timeout=20_000)


def sideways_overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window: 0 when it fits."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
