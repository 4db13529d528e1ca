import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regatta.bot.client_id import bot_code, client_id, is_ours, order_number
from regatta.domain.errors import BadInput


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.text(min_size=1, max_size=40))
def test_every_order_of_a_bot_has_an_id_of_its_own(a: int, b: int, bot: str) -> None:
    code = bot_code(bot)
    assert (client_id("AB2C", code, a) == client_id("AB2C", code, b)) == (a == b)


@given(st.integers(1, 10**12), st.text(min_size=1, max_size=40))
def test_an_id_fits_every_venue_and_tells_its_number(number: int, bot: str) -> None:
    text = client_id("AB2C", bot_code(bot), number)
    assert re.fullmatch(r"[A-Z2-7-]{14,32}", text)
    assert order_number(text) == number
    assert is_ours(text, "AB2C")
    assert not is_ours(text, "ZZZZ")


def test_foreign_and_damaged_ids_are_not_ours() -> None:
    text = client_id("AB2C", bot_code("V1"), 77)
    damaged = text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1]
    assert not is_ours(damaged, "AB2C")
    assert not is_ours("web_1234567890", "AB2C")
    with pytest.raises(BadInput, match="is not a client id"):
        order_number(damaged)
