"""Buttons: each asks first where it matters, does what it says, and says what it did."""

from playwright.sync_api import Page, expect

from tests.browser.watching import Watch, open_page


def test_a_bot_is_paused_and_resumed(signed_in_page: Page, raced: str) -> None:
    page = signed_in_page
    watch = Watch(page)
    open_page(page, "/bots")
    card = page.get_by_role("article", name="V1")
    card.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog", name="Pause V1?")
    expect(dialog).to_contain_text("No new entries")
    dialog.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("V1 paused: no new entries")).to_be_visible()
    expect(card.locator("header .state")).to_have_text("Paused")
    card.get_by_role("button", name="Resume").click()
    expect(card.locator("header .state")).to_have_text("Running")
    assert watch.faults == []


def test_the_speed_of_the_market_is_chosen(signed_in_page: Page, raced: str) -> None:
    page = signed_in_page
    open_page(page, "/")
    speed = page.get_by_role("group", name="Speed of the virtual market")
    speed.get_by_role("button", name="10×", exact=True).click()
    expect(speed.get_by_role("button", name="10×", exact=True)).to_have_attribute("aria-pressed", "true")
    speed.get_by_role("button", name="60×", exact=True).click()
    expect(speed.get_by_role("button", name="60×", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_kill_switch_wants_its_word(signed_in_page: Page, raced: str) -> None:
    page = signed_in_page
    open_page(page, "/")
    page.get_by_role("button", name="Kill switch").click()
    dialog = page.get_by_role("dialog", name="Kill switch")
    halt = dialog.get_by_role("button", name="Halt everything")
    expect(halt).to_be_disabled()
    dialog.get_by_role("textbox").fill("kil")
    expect(halt).to_be_disabled()
    dialog.get_by_role("textbox").fill("kill")
    expect(halt).to_be_enabled()
    halt.click()
    expect(page.get_by_text("All bots halted")).to_be_visible()
    states = page.locator(".rail .state .state")
    expect(states).to_have_text(["Stopped", "Stopped"])
    for name in ("V1", "V2"):
        open_page(page, "/bots")
        page.get_by_role("article", name=name).get_by_role("button", name="Start").click()
    expect(states).to_have_text(["Running", "Running"])


def test_without_signing_in_a_button_says_what_to_do(page: Page, raced: str) -> None:
    watch = Watch(page, refusals=True)
    open_page(page, "/bots")
    expect(page.get_by_text("open the sign-in link", exact=False)).to_be_visible()
    card = page.get_by_role("article", name="V2")
    card.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").filter(has_text="open the sign-in link").last).to_be_visible()
    page.keyboard.press("Escape")
    expect(card.locator("header .state")).to_have_text("Running")
    page.get_by_role("button", name="unread error").click()
    errors = page.get_by_role("region", name="Errors")
    expect(errors.get_by_role("listitem").first).to_contain_text("sign-in link")
    errors.get_by_role("button", name="Dismiss all").click()
    expect(errors).to_contain_text("No errors")
    assert watch.faults == []
