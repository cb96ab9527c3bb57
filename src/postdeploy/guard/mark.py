"""What one value looks like, whatever was done to it: each of its characters in any escaping, repeated and mixed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

__all__ = ["Mark"]

_ESCAPED: Final = 16
"""Bytes that one byte of a value may take in an escaping."""

_ANCHOR: Final = 4
_LONGEST: Final = 64
"""Bytes of an anchor that are looked for in hex and base64."""

_NAMED: Final[Mapping[int, tuple[str, ...]]] = {
    ord("&"): ("amp",), ord("<"): ("lt",), ord(">"): ("gt",), ord('"'): ("quot",), ord("'"): ("apos",),
}  # fmt: skip
_LETTERS: Final[Mapping[int, str]] = {10: "n", 13: "r", 9: "t", 8: "b", 12: "f", 11: "v", 7: "a"}


class Mark:
    """One value in any escaping: a literal run of it, the anchor, and what must stand before and after.

    Letters and digits are never escaped, so the anchor is there wherever the value is; and where the value is in hex or
    base64, so is its anchor. To look for that is much cheaper than to decode everything that might be either.
    """

    def __init__(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        runs = re.findall(rb"[A-Za-z0-9]+", data)
        anchor = max(runs, key=len, default=b"")
        self.is_ascii = data.isascii()
        self._anchor = anchor if len(anchor) >= _ANCHOR else b""
        self._hexadecimal = self._anchor[:_LONGEST].hex().encode()
        self._digits = max(re.findall(rb"[0-9]*", self._hexadecimal), key=len)
        parts = _in_sixty_four(self._anchor[:_LONGEST]) if self._anchor else (b"",)
        self._sixty_four = tuple((part, bytes(sorted(set(part)))) for part in parts)
        head, _, tail = data.partition(self._anchor) if self._anchor else (data, b"", b"")
        self._room = (len(head) * _ESCAPED, len(tail) * _ESCAPED)
        self._ends = head, tail

    @cached_property
    def _head(self) -> re.Pattern[bytes]:
        whole = _pattern(self._ends[0])
        return re.compile(whole + rb"\Z" if self._anchor else whole, re.DOTALL)

    @cached_property
    def _tail(self) -> re.Pattern[bytes]:
        return re.compile(_pattern(self._ends[1]), re.DOTALL)

    def is_in(self, data: bytes) -> bool:
        """Whether the value is anywhere in the data."""
        if not self._anchor:
            return self._head.search(data) is not None
        at = data.find(self._anchor)
        while at >= 0:
            end = at + len(self._anchor)
            before, after = data[max(0, at - self._room[0]) : at], data[end : end + self._room[1]]
            if self._head.search(before) and self._tail.match(after):
                return True
            at = data.find(self._anchor, at + 1)
        return False

    def has_digits_in(self, data: bytes) -> bool:
        """Whether the data has, in either case, what must be there if it holds the value in hex."""
        return self._digits in data

    def has_letters_in(self, data: bytes) -> bool:
        """Whether the data has all the bytes that must be there if it holds the value in base64.

        To look for one byte is thirty times cheaper than for several, and most texts lack some of the capital letters.
        """
        return any(all(map(data.__contains__, letters)) for _, letters in self._sixty_four)

    def may_be_hexadecimal_in(self, lowered: bytes) -> bool:
        """Whether the data, in lower case, may hold the value in hex."""
        return self._hexadecimal in lowered

    def may_be_base64_in(self, data: bytes) -> bool:
        """Whether the data may hold the value in base64, of either alphabet."""
        return any(all(map(data.__contains__, letters)) and part in data for part, letters in self._sixty_four)


def _in_sixty_four(anchor: bytes) -> Iterator[bytes]:
    """What must be there if the anchor is, for each of the three places where it may begin; empty for anything."""
    for before in range(3):
        digits = base64.b64encode(bytes(before) + anchor)
        own = digits[-(-8 * before // 6) : 8 * (before + len(anchor)) // 6]
        yield max(re.split(rb"[+/]", own), key=len)  # these two are others in the other alphabet


def _pattern(data: bytes) -> bytes:
    """A pattern for a part of the value, character by character."""
    return b"".join(map(_any_spelling, data.decode("utf-8", "surrogatepass")))


def _any_spelling(character: str) -> bytes:
    """One character as it is, or as percent, backslash or ampersand escape it, as often as it may be."""
    number = ord(character)
    raw = character.encode("utf-8", "surrogatepass")
    if character.isascii() and character.isalnum():
        return raw
    ways = [rb"\\*" + re.escape(raw)]
    ways.append(b"".join(rb"%%(?:25)*(?i:%02x)" % byte for byte in raw))
    ways.append(b"".join(rb"\\+x(?i:%02x)" % byte for byte in raw))
    units = character.encode("utf-16-be", "surrogatepass")
    ways.append(b"".join(rb"\\+u(?i:%s)" % units[at : at + 2].hex().encode() for at in range(0, len(units), 2)))
    ways.append(rb"\\+U(?i:%08x)" % number)
    if number <= 0xFF:  # noqa: PLR2004  # what one byte of Latin-1 or \x can say
        ways.append(rb"\\+x(?i:%02x)" % number)
    ways.append(rb"&(?:amp;)*#(?:0*%d|[xX]0*(?i:%x));" % (number, number))
    ways += [rb"&(?:amp;)*%s;" % name.encode() for name in _NAMED.get(number, ())]
    if number in _LETTERS:
        ways.append(rb"\\+" + _LETTERS[number].encode())
    if character == "\n":
        ways.append(rb"\r\n")
    if character == " ":
        ways.append(rb"\+")
    if character == "'":
        ways.append(rb"'\"'\"'")
    return rb"\\*(?:" + b"|".join(dict.fromkeys(ways)) + b")"
