"""The smallest whole photographs of each kind, made here so that no file of somebody's has to be kept."""

import struct
import zlib
from typing import Final


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int) -> bytes:
    """A green one."""
    rows = (b"\0" + b"\x2f\x6b\x4f" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def claiming(width: int, height: int, empty_chunks: int = 0) -> bytes:
    """One that says it is so large, with hardly anything in it, and so many parts that say nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = _chunk(b"IHDR", head) + _chunk(b"teXt", b"") * empty_chunks + _chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + parts + _chunk(b"IEND", b"")


def of_segments(empty: int) -> bytes:
    """A JPEG with so many segments that say nothing."""
    return JPEG[:2] + _segment(0xE1, b"") * empty + JPEG[2:]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


PNG: Final = png(48, 32)
JPEG: Final = (
    b"\xff\xd8"
    + _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
    + _segment(0xC0, struct.pack(">BHHB", 8, 32, 48, 1) + b"\x01\x11\0")
    + _segment(0xDA, b"\x01\x01\0\0\x3f\0")
    + bytes(range(1, 60))
    + b"\xff\xd9"
)
_VP8: Final = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 48, 32) + bytes(6)
_VP8_CHUNK: Final = b"VP8 " + struct.pack("<I", len(_VP8)) + _VP8
WEBP: Final = b"RIFF" + struct.pack("<I", len(_VP8_CHUNK) + 4) + b"WEBP" + _VP8_CHUNK
