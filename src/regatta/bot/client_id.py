"""Client order ids: derived from the journal, so that a restart computes the same ones again.

Format, for all venues: install tag (4) + bot code (4) + "-" + order number in base 32
(at least 4) + check character; at most 32 characters of [A-Z2-7-]. An id is never reused:
the number is the count of orders that the bot has ever intended.
Source: specification, reliability.md section 3.2.
"""

from regatta.domain.errors import BadInput

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def base32(n: int, width: int) -> str:
    """Return n >= 0 in base 32, padded on the left to `width` characters."""
    digits = ""
    while n:
        n, digit = divmod(n, 32)
        digits = ALPHABET[digit] + digits
    return digits.rjust(width, ALPHABET[0])


def check_character(text: str) -> str:
    """Return the character that guards against a mistyped or cut id (weighted sum mod 32)."""
    return ALPHABET[sum((i + 1) * ord(c) for i, c in enumerate(text)) % 31]


def bot_code(name: str) -> str:
    """Return four characters of ALPHABET for a bot's name, the same for ever."""
    code = 0
    for c in name:
        code = (code * 131 + ord(c) + 1) % 32**4
    return base32(code, 4)


def client_id(tag: str, bot: str, number: int) -> str:
    """Return the client id of order `number` (1, 2, ...) of the bot with code `bot`."""
    body = f"{tag}{bot}-{base32(number, 4)}"
    return body + check_character(body)


def is_ours(text: str, tag: str) -> bool:
    """Tell whether a client id at a venue was made by this installation."""
    return len(text) >= 14 and text.startswith(tag) and check_character(text[:-1]) == text[-1]


def order_number(text: str) -> int:
    """Return the order number inside a client id; BadInput when its check character is wrong."""
    if len(text) < 14 or check_character(text[:-1]) != text[-1]:
        raise BadInput(f"{text!r} is not a client id of Regatta")
    number = 0
    for c in text[9:-1]:
        number = number * 32 + ALPHABET.index(c)
    return number
