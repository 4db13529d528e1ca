"""The dashboard follows the engine without a reload, says when it can't, and never jumps."""

import json
import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import set_speed
from tests.browser.watching import Watch, open_page


def test_the_market_goes_on_without_a_reload(page: Page, raced: str) -> None:
    watch = Watch(page)
    open_page(page, "/")
    clock = page.locator(".clock")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=10_000)
    assert watch.faults == []


def test_the_mode_stands_in_word_everywhere(page: Page, raced: str) -> None:
    for path in ("/", "/bots", "/history"):
        open_page(page, path)
        expect(page).to_have_title(re.compile(r"^Virtual · .+ – Regatta$"))
        expect(page.locator("header .modes")).to_have_text("Virtual")
    expect(page.locator(".body [role=row]").first).to_contain_text("Virtual")


def test_one_glance_says_why_a_bot_does_not_trade(page: Page, raced: str) -> None:
    open_page(page, "/")
    panel = page.get_by_role("region", name="Why no trade?")
    expect(panel.get_by_text(re.compile(r"held back [\d,]+ times"))).to_have_count(2)
    expect(panel.get_by_role("listitem").first).to_contain_text("%")


def test_the_curve_can_be_read_without_seeing_it(page: Page, raced: str) -> None:
    open_page(page, "/")
    chart = page.get_by_role("application", name=re.compile(r"V1: [\d,.]+, .+ since the start, between .+ V2: "))
    expect(chart).to_be_visible()
    page.get_by_role("button", name="Show as table").click()
    rows = page.locator(".equity table tbody tr")
    expect(rows).not_to_have_count(0)
    expect(rows.first.locator("td")).to_have_count(2)


def test_a_lost_connection_is_said_and_mended(page: Page, raced: str) -> None:
    routes: list[WebSocketRoute] = []
    refuse = [False]

    def on_connection(ws: WebSocketRoute) -> None:
        if refuse[0]:
            ws.close()
            return
        routes.append(ws)
        ws.connect_to_server()

    page.route_web_socket("**/ws", on_connection)
    open_page(page, "/")
    expect(page.locator(".pill")).to_have_text("Live")
    refuse[0] = True
    routes[0].close()
    expect(page.get_by_text("No connection to the engine.", exact=False)).to_be_visible()
    expect(page.locator(".cards.stale")).to_have_count(1)
    # Accepted from the click on, not before: else the next attempt by itself may win and take the button away.
    page.expose_function("accept_from_now_on", lambda: refuse.__setitem__(0, False))
    page.evaluate("() => document.addEventListener('click', () => window.accept_from_now_on(), { capture: true })")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".pill")).to_have_text("Live")
    expect(page.locator(".cards.stale")).to_have_count(0)


def test_a_gap_in_the_frames_asks_for_a_snapshot(page: Page, raced: str) -> None:
    asked: list[str] = []
    dropped: list[str] = []

    def on_connection(ws: WebSocketRoute) -> None:
        server = ws.connect_to_server()

        def from_server(message: str | bytes) -> None:
            frame = json.loads(message)
            if frame["seq"] == 2:
                dropped.append(frame["type"])
            else:
                ws.send(message)

        def from_page(message: str | bytes) -> None:
            asked.append(str(message))
            server.send(message)

        server.on_message(from_server)
        ws.on_message(from_page)

    page.route_web_socket("**/ws", on_connection)
    open_page(page, "/")
    for _ in range(200):
        if asked:
            break
        page.wait_for_timeout(100)
    assert len(dropped) == 1
    assert asked == ['{"type":"snapshot"}']
    clock = page.locator(".clock")
    expect(clock).not_to_have_text(clock.inner_text(), timeout=20_000)


def test_a_trade_that_closes_does_not_move_what_is_being_read(signed_in_page: Page, raced: str) -> None:
    page = signed_in_page
    page.set_viewport_size({"width": 1440, "height": 500})
    open_page(page, "/history")
    expect(page.locator(".body [role=row]").nth(5)).to_be_visible()
    page.evaluate("scrollTo({top: 400, behavior: 'instant'})")
    page.wait_for_function(f"({FIRST_IN_SIGHT})() !== null && scrollY > 0")
    read = page.evaluate(FIRST_IN_SIGHT)
    set_speed(page.request, raced, 600)
    try:
        page.wait_for_function(f"(before) => ({FIRST_IN_SIGHT})().count > before", arg=read["count"], timeout=60_000)
    finally:
        set_speed(page.request, raced, 60)
    # Counted from the end of the list a row keeps its number for ever; it stands where it stood, too.
    now = page.evaluate(FIRST_IN_SIGHT)
    assert now["count"] > read["count"]
    assert (now["from_end"], now["text"]) == (read["from_end"], read["text"])
    assert abs(now["top"] - read["top"]) < 2


FIRST_IN_SIGHT = """() => {
    const count = Number(document.querySelector('[role=table]').getAttribute('aria-rowcount'));
    const row = [...document.querySelectorAll('.body [role=row]')].find((one) => one.getBoundingClientRect().top > 120);
    if (!row) return null;
    const from_end = count - Number(row.getAttribute('aria-rowindex'));
    return { count, from_end, text: row.innerText, top: row.getBoundingClientRect().top };
}"""
