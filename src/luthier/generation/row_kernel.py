"""`row_attention.RowAttention` in Triton: new tokens are written to their rows, and attend there, in place.

Flash-decoding (Dao et al. 2023): a program holds the queries of one tile of tokens and one key head, all heads of its
group together, and passes over what they see with the online softmax (Milakov and Gimelshein 2018). Where there are few
texts, what each sees is split among several programs, whose parts are put together after.
"""
# ruff: noqa: N803 (constants of compilation are upper case)

from __future__ import annotations

import functools

import torch
import triton
import triton.language as tl
from torch import Tensor

from luthier.generation.row_attention import Rows

_LOG2E = tl.constexpr(1.4426950408889634)
_MOST_SPLITS = 32
_PROGRAMS = 4
"""Programs for each multiprocessor, that are wanted at least where what texts see is split."""
_FEWEST = 16
"""The fewest rows of a matrix product in Triton."""


@triton.jit(do_not_specialize=["total", "part"])
def _write(
    key, value, anchor, numbers, total, part, key_head, key_token, value_head, value_token,
    WIDTH: tl.constexpr, PADDED: tl.constexpr, STEP: tl.constexpr,
):  # fmt: skip
    """Writes one token's key and value of one head; program (token, head)."""
    token, head = tl.program_id(0).to(tl.int64), tl.program_id(1)
    place = tl.load(numbers + total + token)
    columns = tl.arange(0, PADDED)
    real = (columns < WIDTH) & (place >= 0)
    keys, values = _states(anchor, numbers, total, token, part, head, WIDTH, STEP)
    new_key = tl.load(key + head * key_head + token * key_token + columns, mask=real)
    new_value = tl.load(value + head * value_head + token * value_token + columns, mask=real)
    tl.store(keys + place * WIDTH + columns, new_key, mask=real)
    tl.store(values + place * WIDTH + columns, new_value, mask=real)


@triton.jit
def _states(anchor, numbers, total, token, part, head, WIDTH: tl.constexpr, STEP: tl.constexpr):
    """Returns where the keys and the values of a token's text begin, of one layer and head."""
    offset = tl.multiple_of(tl.load(numbers + 2 * total + token), STEP)
    stride = tl.multiple_of(tl.load(numbers + 3 * total + token), STEP)
    capacity = tl.load(numbers + 4 * total + token)
    keys = anchor + offset + stride * part + capacity * head * WIDTH
    return keys, keys + stride


@triton.jit(do_not_specialize=["total", "part", "tile_count"])
def _attend(
    query, out, parts, sums, sinks, anchor, numbers, tiles, tile_count, total, part, query_head, query_token, heads,
    scale, softcap, WINDOW: tl.constexpr, CAPPED: tl.constexpr, SUNK: tl.constexpr, TILED: tl.constexpr,
    GROUP: tl.constexpr, ROOM: tl.constexpr, WIDTH: tl.constexpr, PADDED: tl.constexpr, STEP: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, SPLITS: tl.constexpr,
):  # fmt: skip
    """Attends with the queries of one tile and one key head to one share of what they see; program (tile, head, share).

    Row r of its products is head r % ROOM of the group and token r // ROOM of the tile.
    """
    tile, head, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    first, count = tile.to(tl.int64), 1
    if TILED:
        first, count = tl.load(tiles + tile), tl.load(tiles + tile_count + tile).to(tl.int32)
    start = tl.load(numbers + total + first).to(tl.int32)
    row, width = tl.arange(0, ROWS), tl.arange(0, PADDED)
    own, after = row % ROOM, row // ROOM
    real = ((own < GROUP) & (after < count))[:, None] & (width < WIDTH)[None, :]
    token, asked = first + after, head * GROUP + own
    q = tl.load(
        query + token[:, None] * query_token + asked[:, None] * query_head + width[None, :], mask=real, other=0.0
    )
    top, whole = tl.full([ROWS], float("-inf"), tl.float32), tl.zeros([ROWS], tl.float32)
    if SUNK:  # noqa: SIM102 (the first is known when compiling)
        if split == 0:  # a score that takes weight and gives none
            top = tl.load(sinks + asked, mask=own < GROUP, other=0.0).to(tl.float32) * _LOG2E
            whole += 1.0
    low, end = 0, start + count  # filling stands at -1, and ends before anything
    if WINDOW:
        low = tl.maximum(start - WINDOW + 1, 0)
    chunk = tl.cdiv(tl.cdiv(end - low, SPLITS), COLUMNS) * COLUMNS
    begin = low + split * chunk
    keys, values = _states(anchor, numbers, total, first, part, head, WIDTH, STEP)
    top, whole, gathered = _passed(
        q, keys, values, start + after, begin, tl.minimum(begin + chunk, end), top, whole, scale, softcap, width,
        WINDOW, CAPPED, WIDTH, PADDED, ROWS, COLUMNS,
    )  # fmt: skip
    mean = gathered / tl.where(whole == 0.0, 1.0, whole)[:, None]
    place = token * heads + asked
    if SPLITS == 1:
        tl.store(out + place[:, None] * WIDTH + width[None, :], mean.to(out.dtype.element_ty), mask=real)
    else:
        tl.store(parts + (place[:, None] * SPLITS + split) * WIDTH + width[None, :], mean, mask=real)
        logarithm = tl.where(whole == 0.0, float("-inf"), top + tl.log2(tl.where(whole == 0.0, 1.0, whole)))
        tl.store(sums + place * SPLITS + split, logarithm, mask=(own < GROUP) & (after < count))


@triton.jit
def _passed(
    q, keys, values, places, begin, stop, top, whole, scale, softcap, width,
    WINDOW: tl.constexpr, CAPPED: tl.constexpr, WIDTH: tl.constexpr, PADDED: tl.constexpr, ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):  # fmt: skip
    """Returns the highest score (ROWS,), the sum of exponentials under it, and their sum of values (ROWS, PADDED), over
    the columns from `begin` to `stop`; scores are base 2."""
    gathered = tl.zeros([ROWS, PADDED], tl.float32)
    for column in range(begin, stop, COLUMNS):
        columns = column + tl.arange(0, COLUMNS)
        held = (columns < stop)[:, None] & (width < WIDTH)[None, :]
        at = columns[:, None] * WIDTH + width[None, :]
        k = tl.load(keys + at, mask=held, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale  # (ROWS, COLUMNS)
        if CAPPED:
            scores = softcap * (1.0 - 2.0 / (tl.exp(2.0 * scores / softcap) + 1.0))  # softcap * tanh(scores / softcap)
        seen = (columns[None, :] < stop) & (columns[None, :] <= places[:, None])
        if WINDOW:
            seen = seen & (columns[None, :] > places[:, None] - WINDOW)
        scores = tl.where(seen, scores * _LOG2E, float("-inf"))
        higher = tl.maximum(top, tl.max(scores, 1))
        under = tl.where(higher == float("-inf"), 0.0, higher)  # a window may begin after all of these columns
        weights = tl.exp2(scores - under[:, None])
        fading = tl.exp2(top - under)
        whole = whole * fading + tl.sum(weights, 1)
        v = tl.load(values + at, mask=held, other=0.0)
        gathered = gathered * fading[:, None] + tl.dot(weights.to(v.dtype), v, input_precision="ieee")
        top = higher
    return top, whole, gathered


@triton.jit
def _combine(parts, sums, out, WIDTH: tl.constexpr, PADDED: tl.constexpr, SPLITS: tl.constexpr):
    """Puts the shares of one query head together; program (token * heads + head)."""
    place, width = tl.program_id(0).to(tl.int64), tl.arange(0, PADDED)
    at = place * SPLITS + tl.arange(0, SPLITS)
    logarithms = tl.load(sums + at)
    top = tl.max(logarithms, 0)
    weights = tl.exp2(logarithms - tl.where(top == float("-inf"), 0.0, top))
    there = (logarithms > float("-inf"))[:, None] & (width < WIDTH)[None, :]
    found = tl.load(parts + at[:, None] * WIDTH + width[None, :], mask=there, other=0.0)
    whole = tl.sum(weights, 0)
    mean = tl.sum(found * weights[:, None], 0) / tl.where(whole == 0.0, 1.0, whole)
    tl.store(out + place * WIDTH + width, mean.to(out.dtype.element_ty), mask=width < WIDTH)


def attend_rows(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rows: Rows,
    layer: int,
    *,
    scaling: float,
    softcap: float | None,
    sinks: Tensor | None,
    window: int | None,
) -> Tensor:
    """See `row_attention.RowAttention`."""
    query, key, value = (states if states.stride(2) == 1 else states.contiguous() for states in (query, key, value))
    (heads, count, width), shared = query.shape, key.shape[0]
    padded = max(_FEWEST, triton.next_power_of_2(width))
    step = 16 if width % 16 == 0 else 1
    out = torch.empty(count, heads, width, dtype=query.dtype, device=query.device)  # (T, H, D)
    _write[(count, shared)](
        key, value, rows.anchor, rows.numbers, count, 2 * layer, key.stride(0), key.stride(1), value.stride(0),
        value.stride(1), WIDTH=width, PADDED=padded, STEP=step, num_warps=1,
    )  # fmt: skip
    room = triton.next_power_of_2(heads // shared)
    narrow = query.element_size() < 4 and padded <= 128  # so that the blocks in flight fit into shared memory
    for tiled, number in ((False, rows.singles), (True, 0 if rows.tiles is None else rows.tiles.shape[1])):
        if not number:
            continue
        splits = 1 if tiled else _splits(number * shared, query.device)
        parts, sums = _room(number, heads, splits, width, query.device)
        _attend[(number, shared, splits)](
            query, out, parts, sums, out if sinks is None else sinks, rows.anchor, rows.numbers,
            rows.tiles if tiled else rows.numbers, number, count, 2 * layer, query.stride(0), query.stride(1), heads,
            float(scaling), float(softcap or 1.0), WINDOW=window or 0, CAPPED=softcap is not None,
            SUNK=sinks is not None, TILED=tiled, GROUP=heads // shared, ROOM=room, WIDTH=width, PADDED=padded,
            STEP=step, ROWS=max(_FEWEST, room * (rows.tile if tiled else 1)), COLUMNS=64 if narrow else 32,
            SPLITS=splits, num_warps=4, num_stages=3 if narrow else 2,
        )  # fmt: skip
        if splits > 1:
            _combine[(number * heads,)](parts, sums, out, WIDTH=width, PADDED=padded, SPLITS=splits, num_warps=4)
    return out


def _room(count: int, heads: int, splits: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Returns where shares of single tokens are left, (n, H, splits, D), and the logarithms of sums (n, H, splits)."""
    count = count if splits > 1 else 0
    parts = torch.empty(count, heads, splits, width, dtype=torch.float32, device=device)
    return parts, torch.empty(count, heads, splits, dtype=torch.float32, device=device)


def _splits(programs: int, device: torch.device) -> int:
    """Returns among how many programs what one text sees is split: a power of two, more where `programs` are few."""
    wanted = _PROGRAMS * _processors(device) // programs
    return min(_MOST_SPLITS, 1 << max(0, wanted.bit_length() - 1))


@functools.cache
def _processors(device: torch.device) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 1
