"""PNG files (ISO/IEC 15948) chunk by chunk: read with bounds, written back byte for byte.

Nothing is decoded or compressed here, so the picture stays as it was and equal input gives equal bytes.
"""

import struct
from zlib import crc32

import msgspec

from ledger.errors import Malformed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 10_000


class Chunk(msgspec.Struct, frozen=True):
    """One chunk: its four-letter type and its data."""

    kind: bytes
    data: bytes


def read_chunks(image: bytes) -> list[Chunk]:
    """The chunks of a PNG from IHDR to IEND. Raises Malformed where lengths, sums or order are wrong."""
    if not image.startswith(SIGNATURE):
        raise Malformed("The image is not a PNG file.")
    chunks: list[Chunk] = []
    at = len(SIGNATURE)
    while at < len(image):
        if len(chunks) == MOST_CHUNKS:
            raise Malformed(f"The PNG file has more than {MOST_CHUNKS} chunks.")
        if len(image) - at < 12:
            raise Malformed("The PNG file ends inside a chunk.")
        length, kind = struct.unpack_from(">I4s", image, at)
        if length > len(image) - at - 12:
            raise Malformed("A chunk of the PNG file is longer than the file.")
        data = image[at + 8 : at + 8 + length]
        if crc32(data, crc32(kind)) != struct.unpack_from(">I", image, at + 8 + length)[0]:
            raise Malformed("A check sum of the PNG file is wrong.")
        chunks.append(Chunk(kind, data))
        at += 12 + length
    kinds = [chunk.kind for chunk in chunks]
    if kinds[:1] != [b"IHDR"] or kinds[-1:] != [b"IEND"] or kinds.count(b"IEND") != 1 or b"IDAT" not in kinds:
        raise Malformed("The PNG file does not run from IHDR over IDAT to IEND.")
    return chunks


def png_bytes(chunks: list[Chunk]) -> bytes:
    """The file of these chunks."""
    parts = [SIGNATURE]
    for chunk in chunks:
        parts += [struct.pack(">I", len(chunk.data)), chunk.kind, chunk.data]
        parts.append(struct.pack(">I", crc32(chunk.data, crc32(chunk.kind))))
    return b"".join(parts)


def size_of(chunks: list[Chunk]) -> tuple[int, int]:
    """Width and height in pixels, from IHDR. Raises Malformed when it has another length or an empty side."""
    if len(chunks[0].data) != 13:
        raise Malformed("The PNG file's header has a wrong length.")
    width, height = struct.unpack_from(">II", chunks[0].data)
    if not width or not height:
        raise Malformed("The PNG file has an empty side.")
    return width, height


def international_text(chunk: Chunk) -> tuple[str, bool, bytes]:
    """Keyword, whether compressed, and the text's bytes of an iTXt chunk. Raises Malformed when it is none."""
    keyword, end, rest = chunk.data.partition(b"\0")
    if not end or not 1 <= len(keyword) <= 79 or len(rest) < 4:
        raise Malformed("A text chunk of the PNG file is malformed.")
    _, _, texts = rest[2:].partition(b"\0")  # after both flags: the language tag, then the translated keyword
    _, end, text = texts.partition(b"\0")
    if not end:
        raise Malformed("A text chunk of the PNG file is malformed.")
    return keyword.decode("latin-1"), rest[0] != 0, text


def text_chunk(keyword: str, text: str) -> Chunk:
    """An uncompressed iTXt chunk without language or translated keyword."""
    return Chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())
