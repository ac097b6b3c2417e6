"""Frames of HTTP/2 (RFC 9113) as bytes, with header blocks of literals only (RFC 7541): enough for requests and for attacks."""

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
ACK, END_STREAM, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW_SIZE = 4
STATUS_200 = 0x88  # the first byte of a header block with `:status: 200`


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(**values):
    """Only `window`, the initial window of streams."""
    entry = b"".join(INITIAL_WINDOW_SIZE.to_bytes(2, "big") + value.to_bytes(4, "big") for value in values.values())
    return frame(SETTINGS, payload=entry)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def text(value):
    """A string that is not Huffman-coded, after its length as an integer with a prefix of seven bits."""
    value, length = value.encode(), len(value)
    if length < 127:
        return bytes([length]) + value
    rest, encoded = length - 127, b"\x7f"
    while rest >= 128:
        encoded, rest = encoded + bytes([rest % 128 + 128]), rest // 128
    return encoded + bytes([rest]) + value


def header(name, value):
    return b"\x00" + text(name) + text(value)


def get(path, authorization=None):
    """The header block of a GET request; `:method` and `:scheme` have an index."""
    block = b"\x82\x86" + b"\x04" + text(path) + b"\x01" + text("localhost")
    return block + (b"\x0f\x08" + text(authorization) if authorization else b"")


def request(stream, block):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, block)


def frames(buffer):
    """Takes the complete frames from the beginning of a bytearray: (kind, flags, stream, payload)."""
    while len(buffer) >= 9 and len(buffer) >= 9 + (length := int.from_bytes(buffer[:3], "big")):
        yield buffer[3], buffer[4], int.from_bytes(buffer[5:9], "big"), bytes(buffer[9:9 + length])
        del buffer[:9 + length]
