"""Every page in every dress: no fault in the console, nothing sticks out, axe finds nothing. Screenshots are kept."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import accessibility_faults
from tests.browser.watching import Watch, open_page, sideways_overflow

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
DRESSES: dict[str, dict[str, Any]] = {
    "desktop": DESKTOP,
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
    "french": {**DESKTOP, "locale": "fr-FR"},
    "light": DESKTOP,
    "tablet": {"viewport": {"width": 820, "height": 1180}},
}
PAGES = {"dashboard": "/", "bots": "/bots", "history": "/history"}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("dress", DRESSES)
def test_a_page_is_whole_in_each_dress(
    browser: Browser, raced: str, axe_source: str, artifacts: Path, dress: str, name: str
) -> None:
    context = browser.new_context(base_url=raced, reduced_motion="reduce", **DRESSES[dress])
    if dress == "light":
        context.add_init_script("localStorage.setItem('regatta.theme', 'light')")
    try:
        page = context.new_page()
        watch = Watch(page)
        open_page(page, PAGES[name])
        if name == "dashboard":
            expect(page.locator("canvas").first).to_be_visible()
        if name == "bots":
            # The deepest that the page shows: a pair with all checks beside the last decisions.
            page.locator("article").first.locator(".tabs button").nth(2).click()
            page.locator(".pairs button").first.click()
            expect(page.locator(".checks table").first).to_be_visible()
            page.locator("article").last.locator(".tabs button").nth(1).click()
        if name == "history":
            expect(page.locator(".body [role=row] strong").first).to_be_visible()
        page.screenshot(path=artifacts / f"{name}-{dress}.png", full_page=name != "history")
        assert sideways_overflow(page) == 0
        assert accessibility_faults(page, axe_source) == []
        assert watch.faults == []
    finally:
        context.close()


def test_theme_and_language_are_set_before_the_first_paint(browser: Browser, raced: str) -> None:
    context = browser.new_context(base_url=raced, locale="fr-FR")
    context.add_init_script("localStorage.setItem('regatta.theme', 'light')")
    try:
        page = context.new_page()
        page.route("**/assets/*.js", lambda route: route.abort())
        page.goto("/", wait_until="commit")
        # The script of the page never comes; what is painted is already in the chosen colours.
        page.wait_for_function(
            "() => document.body && getComputedStyle(document.body).backgroundColor === 'rgb(244, 245, 247)'"
        )
        assert page.evaluate("[document.documentElement.lang, document.body.innerText.trim()]") == ["fr", ""]
    finally:
        context.close()


def test_the_first_page_is_small(browser: Browser, raced: str) -> None:
    context = browser.new_context(base_url=raced)
    try:
        page = context.new_page()
        open_page(page, "/")
        expect(page.locator("canvas").first).to_be_visible()
        sizes: list[list[Any]] = page.evaluate(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".map(one => [new URL(one.name).pathname, one.transferSize])"
        )
        own = [(path, size) for path, size in sizes if not path.startswith("/api/")]
        fonts = sum(size for path, size in own if path.endswith(".woff2"))
        rest = sum(size for path, size in own if not path.endswith(".woff2"))
        assert 0 < fonts <= 80_000
        assert 0 < rest < 200_000
    finally:
        context.close()
