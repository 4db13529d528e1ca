"""The dashboard follows the engine without a reload, says when it can't, and never jumps."""

import re

from playwright.sync_api import Page, WebSocketRoute, expect

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
    refuse[0] = False
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".pill")).to_have_text("Live")
    expect(page.locator(".cards.stale")).to_have_count(0)


def test_a_gap_in_the_frames_asks_for_a_snapshot(page: Page, raced: str) -> None:
    asked: list[str] = []
    dropped = [0]

    def on_connection(ws: WebSocketRoute) -> None:
        server = ws.connect_to_server()

        def from_server(message: str | bytes) -> None:
            if '"price_update"' in str(message)[:200] and dropped[0] == 0:
                dropped[0] = 1
                return
            ws.send(message)

        def from_page(message: str | bytes) -> None:
            asked.append(str(message))
            server.send(message)

        server.on_message(from_server)
        ws.on_message(from_page)

    page.route_web_socket("**/ws", on_connection)
    open_page(page, "/")
    clock = page.locator(".clock")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=20_000)
    page.wait_for_function("() => document.querySelector('.pill')?.textContent === 'Live'")
    assert dropped == [1]
    assert asked == ['{"type":"snapshot"}']


def test_a_trade_that_closes_does_not_move_what_is_being_read(signed_in_page: Page, raced: str) -> None:
    page = signed_in_page
    page.set_viewport_size({"width": 1440, "height": 500})
    open_page(page, "/history")
    rows = page.locator(".body [role=row]")
    expect(rows.nth(1)).to_be_visible()
    count = page.get_by_role("table").get_attribute("aria-rowcount")
    page.mouse.move(700, 400)
    page.mouse.wheel(0, 400)
    read = rows.filter(has=page.locator("strong")).last
    name = read.get_attribute("aria-rowindex")
    place = read.bounding_box()
    page.request.post("/api/speed", data={"speed": 600}, headers={"Origin": raced})
    try:
        table = page.get_by_role("table")
        expect(table).not_to_have_attribute("aria-rowcount", count or "", timeout=60_000)
    finally:
        page.request.post("/api/speed", data={"speed": 60}, headers={"Origin": raced})
    grown = int(page.get_by_role("table").get_attribute("aria-rowcount") or 0) - int(count or 0)
    moved = page.locator(f".body [role=row][aria-rowindex='{int(name or 0) + grown}']").bounding_box()
    assert place and moved
    assert abs(moved["y"] - place["y"]) < 2
