"""Changes to sound files that keep to their structure, as far as somebody would who wants to break what reads them."""

from __future__ import annotations

import copy
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

Random = np.random.Generator

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    7,
    255,
    65_536,
    2**31,
    -(2**31),
    2**53,
    2**63,
    2**64,
    10**30,
    0.0,
    -0.0,
    0.5,
    1e-320,
    1e9,
    -1e9,
    1e38,
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "a",
    "0",
    "1e999",
    "x" * 5000,
    "\0",
    "\ud800",
    "é\u202e\u0000",
    "../../x",
    "/etc/passwd",
    "C:\\x",
    "CON",
    "nul.npz",
    "a.npz",
    ".npz",
    "..",
    "__class__",
    'pose.bones["a"].__init__',
    [],
    [[]],
    [0] * 3000,
    [1e400],
    ["a"] * 50,
    {},
    {"a": 1},
    [None],
    [[[[[]]]]],
)

ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"{",
    b"}",
    b"[",
    b'"',
    b"\\",
    b"\n",
    b"\x80\x04",
    b"PK\5\6",
    b"PK\1\2",
    b"9" * 20,
)

ODD_WORDS = (
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e308",
    "-1",
    "0",
    "{",
    "}",
    "JOINT",
    "ROOT",
    "End",
    "Site",
    "OFFSET",
    "CHANNELS",
    "MOTION",
    "HIERARCHY",
    "Frames:",
    "999999999",
    "9" * 400,
    "6",
    "3",
    "1_0",
    "0x10",
    "é",
    "\ufffd",
    "a" * 3000,
    "Xrotation",
    "Wposition",
    "rotation",
    "1e-320",
    "+5",
    "٣",
)


def any_of(random: Random, choices: Any) -> Any:
    return choices[int(random.integers(len(choices)))]


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """Some bytes changed, cut out, put in, doubled, or the end cut off."""
    for _ in range(1 + int(random.geometric(0.5))):
        at, span = int(random.integers(len(data) + 1)), int(random.geometric(0.1))
        change = int(random.integers(6))
        if change == 0:
            data = data[:at] + bytes([int(random.integers(256))]) + data[at + 1 :]
        elif change == 1:
            data = data[:at] + data[at + span :]
        elif change == 2:
            data = data[:at] + any_of(random, ODD_BYTES) + data[at:]
        elif change == 3:
            data = data[:at] + data[at : at + span] * 2 + data[at + span :]
        elif change == 4 and random.random() < 0.3:
            data = data[:at]
        else:
            data = data[:at] + struct.pack("<q", any_of(random, (-1, 0, 1, 2**31, 2**62, 1000))) + data[at + 8 :]
    return data


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all that a piece of JSON holds; of a long list only to its first and last entries."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, one in value.items():
            found += _places(one, (*path, key))
    elif isinstance(value, list):
        for k in {*range(min(4, len(value))), len(value) - 1} - {-1}:
            found += _places(value[k], (*path, k))
    return found


def mutate_json(value: Any, random: Random) -> Any:
    """Some values replaced by odd ones, taken away, doubled, exchanged or nested."""
    value = copy.deepcopy(value)
    for _ in range(int(random.geometric(0.6))):
        positions = _places(value)
        if not positions:
            return any_of(random, ODD_VALUES)
        *way, last = any_of(random, positions)
        owner = value
        for step in way:
            owner = owner[step]
        change = int(random.integers(6))
        if change == 0:
            del owner[last]
        elif change == 1:
            owner[last] = copy.deepcopy(_at(value, any_of(random, positions)))
        elif change == 2 and isinstance(owner, list):
            owner.insert(int(last), copy.deepcopy(owner[last]))
        elif change == 3 and isinstance(owner[last], int | float):
            owner[last] = owner[last] * any_of(random, (-1, 0, 2, 1000, 0.5)) + any_of(random, (0, 1, -1))
        elif change == 4 and random.random() < 0.05:
            for _ in range(int(any_of(random, (10, 60, 150)))):
                owner[last] = [owner[last]]
        else:
            owner[last] = copy.deepcopy(any_of(random, ODD_VALUES))
    return value


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def mutate_tensors(data: bytes, random: Random, key: str) -> bytes:
    """A .safetensors file with another description, other places of tensors, other numbers, or other bytes."""
    change = int(random.integers(10))
    if change == 0:
        return mutate_bytes(data, random)
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    if change < 6:
        meta = mutate_json(json.loads(header["__metadata__"][key]), random)
        header["__metadata__"][key] = json.dumps(meta)
    elif change == 6:
        own = header.pop("__metadata__")
        header = mutate_json(header, random)
        if isinstance(header, dict):
            header["__metadata__"] = own
    elif change == 7:
        header = _with_other_tensors(header, random)
    else:
        at = int(random.integers(max(len(body) - 8, 1)))
        odd = struct.pack("<d", any_of(random, (float("nan"), float("inf"), 1e300, -1e300, 1e30, 0.0)))
        body = body[:at] + odd[-4:] * 2 + body[at + 8 :]
    text = json.dumps(header).encode()
    size = len(text) if random.random() < 0.97 else int(any_of(random, (0, 1, 2**31, 2**40, 2**63, len(text) + 1)))
    return size.to_bytes(8, "little") + text + body


def _with_other_tensors(header: dict[str, Any], random: Random) -> dict[str, Any]:
    """Tensors under each other's names or of another kind or shape of the same size."""
    names = [name for name in header if name != "__metadata__"]
    one, other = any_of(random, names), any_of(random, names)
    if random.random() < 0.5:
        header[one], header[other] = header[other], header[one]
    else:
        shape, kind = header[one]["shape"], header[one]["dtype"]
        header[one]["shape"] = any_of(random, (shape[::-1], [1, *shape], [2**62, 4, 0]))
        header[one]["dtype"] = any_of(random, ("F32", "F64", "F16", "I32", "BF16", "U8", "F8_E4M3", kind))
    return header


def mutate_clip(data: bytes, random: Random) -> bytes:
    """An .npz file with another description, other headers of its arrays, another way of packing, or other bytes."""
    if random.random() < 0.3:
        return mutate_bytes(data, random)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change = int(random.integers(4))
    if change < 2:
        head = parts["clip.npy"].index(b"\n") + 1
        text = json.dumps(mutate_json(json.loads(parts["clip.npy"][head:]), random)).encode(errors="replace")
        stream = io.BytesIO()
        np.save(stream, np.frombuffer(text, dtype=np.uint8))
        parts["clip.npy"] = stream.getvalue()
    else:
        name = any_of(random, list(parts))
        end = parts[name].index(b"\n") + 1
        parts[name] = mutate_bytes(parts[name][:end], random) + parts[name][end:]
    if random.random() < 0.1:
        parts[any_of(random, ("../x.npy", "/x.npy", "clip", "features.npy.npy"))] = b"x"
    kind = any_of(random, (zipfile.ZIP_DEFLATED,) * 6 + (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    packed = stream.getvalue()
    return mutate_bytes(packed, random) if random.random() < 0.2 else packed


def mutate_bvh(data: bytes, random: Random) -> bytes:
    """A BVH file with other words, lines doubled or taken away, a chain of many joints, or other bytes."""
    change = int(random.integers(8))
    if change == 0:
        return mutate_bytes(data, random)
    text = data.decode()
    if change == 1 and random.random() < 0.1:
        count = int(any_of(random, (50, 400, 3000)))
        chain = "".join(f"JOINT j{k}\n{{\nOFFSET 0 1 0\nCHANNELS 0\n" for k in range(count)) + "}\n" * count
        return text.replace("End Site", chain + "End Site", 1).encode()
    if change < 3:
        lines = text.split("\n")
        at = int(random.integers(len(lines)))
        lines[at : at + 1] = [lines[at]] * any_of(random, (0, 2, 3))
        return "\n".join(lines).encode()
    hierarchy = text.index("MOTION") + 40
    words = re.split(r"(\s+)", text[:hierarchy] if change < 7 else text)
    for _ in range(int(random.geometric(0.5))):
        words[2 * int(random.integers(len(words) // 2))] = any_of(random, ODD_WORDS)
    return ("".join(words) + (text[hierarchy:] if change < 7 else "")).encode(errors="replace")


def mutate_manifest(data: bytes, random: Random) -> bytes:
    if random.random() < 0.2:
        return mutate_bytes(data, random)
    return json.dumps(mutate_json(json.loads(data), random)).encode()


Mutation = Callable[[bytes, Random], bytes]
