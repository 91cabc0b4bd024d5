"""Whether bytes are a photograph as a telephone takes it: JPEG, PNG or WebP, whole, of a size that can be shown. Pure.

Only the frame of the file is read and every part of it must fit; nothing is decoded and nothing is changed. How many
parts there are is bounded: a stranger's file is made of as many empty ones as fit (law L10).
"""

import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Final


class PhotoFormat(StrEnum):
    """What a photograph is kept as; the value is the end of its name."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"


MEDIA: Final = {PhotoFormat.JPEG: "image/jpeg", PhotoFormat.PNG: "image/png", PhotoFormat.WEBP: "image/webp"}
LONGEST_SIDE: Final = 20_000
MOST_PIXELS: Final = 65_000_000
"""As many as the largest sensor of a telephone has; whoever looks at it needs four bytes of memory for each."""
MOST_PARTS: Final = 4_096
"""Far more than any telephone writes: a file of eight megabytes has a thousand chunks at most."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of a JPEG that carry no length."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN: Final = 0xDA


def kind_of(photo: bytes) -> PhotoFormat | None:
    """What it is, or ``None`` for anything that is not a whole photograph."""
    for kind, size in ((PhotoFormat.JPEG, _jpeg), (PhotoFormat.PNG, _png), (PhotoFormat.WEBP, _webp)):
        try:
            width, height = size(photo)
        except (ValueError, IndexError):
            continue
        if 0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE and width * height <= MOST_PIXELS:
            return kind
    return None


def _jpeg(photo: bytes) -> tuple[int, int]:
    """Width and height from the frame's header; what is compressed must follow it, and the end be marked."""
    if photo[:2] != b"\xff\xd8":
        raise ValueError
    size, at = (0, 0), 2
    for _ in range(MOST_PARTS):
        if photo[at] != 0xFF:  # noqa: PLR2004 -- what every marker begins with
            raise ValueError
        marker = photo[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 -- a filling byte
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker == _SCAN:
            if photo.rfind(b"\xff\xd9") <= at:
                raise ValueError
            return size
        else:
            length = int.from_bytes(photo[at + 2 : at + 4])
            if marker in _FRAMES:
                size = int.from_bytes(photo[at + 7 : at + 9]), int.from_bytes(photo[at + 5 : at + 7])
            if length < 2:  # noqa: PLR2004 -- it counts itself
                raise ValueError
            at += 2 + length
    raise ValueError


def _png(photo: bytes) -> tuple[int, int]:
    """Width and height of a file of which every chunk bears its right sum, from the head to the end."""
    if photo[:8] != _PNG:
        raise ValueError
    chunks = list(_chunks(photo))
    names = [name for name, _ in chunks]
    head = chunks[0][1]
    if names[0] != b"IHDR" or names[-1] != b"IEND" or b"IDAT" not in names or len(head) != 13:  # noqa: PLR2004 -- as the format has it
        raise ValueError
    return int.from_bytes(head[:4]), int.from_bytes(head[4:8])


def _chunks(photo: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    for _ in range(MOST_PARTS):
        if at >= len(photo):
            return
        length = int.from_bytes(photo[at : at + 4])
        name, body = photo[at + 4 : at + 8], photo[at + 8 : at + 8 + length]
        total = photo[at + 8 + length : at + 12 + length]
        if len(total) != 4 or zlib.crc32(name + body) != int.from_bytes(total):  # noqa: PLR2004 -- bytes of a sum
            raise ValueError
        yield name, body
        at += 12 + length
        if name == b"IEND":
            return
    raise ValueError


def _webp(photo: bytes) -> tuple[int, int]:
    """Width and height of the first chunk, if the container is as long as it says."""
    if photo[:4] != b"RIFF" or photo[8:12] != b"WEBP" or int.from_bytes(photo[4:8], "little") + 8 > len(photo):
        raise ValueError
    name, body = photo[12:16], photo[20:30]
    if name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if name == b"VP8L" and body[0] == 0x2F:  # noqa: PLR2004 -- its signature
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8X" and (b"VP8 " in photo or b"VP8L" in photo or b"ANMF" in photo):
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    raise ValueError
