"""Which texts run: everything ends, nothing passes its bounds, and the oldest is never held up for good."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from luthier.generation.memory import LayerShape, StateMemory, StateShape
from luthier.generation.prefixes import BLOCK
from luthier.generation.schedule import Scheduler, Seat

SHAPE = StateShape((LayerShape(1, 1, 1),))


@dataclass(eq=False)
class Wish:
    """A request for `reply` tokens."""

    reply: int
    reusable: int = 10_000
    written: int = 0
    scope: str = ""
    adapter: str | None = None
    abandoned: bool = False

    @property
    def remaining(self):
        return self.reply - self.written

    def kept(self, start, end):
        return ()


def seat_of(tokens, reply, scope="a"):
    return Seat(scope=scope, tokens=list(tokens), request=Wish(reply))


def scheduler_of(tokens=4096, **options):
    memory = StateMemory(SHAPE, tokens * SHAPE.token_bytes, 256)
    return Scheduler(memory, **({"reuse": True, "chunks": True, "most_logits": 8, "pass_tokens": 64} | options))


def run(scheduler, passes=10_000):
    """Runs passes as the engine does, and returns them as lists of (seat, tokens read)."""
    seen = []
    for _ in range(passes):
        shares = scheduler.plan()
        if not shares:
            return seen
        assert scheduler.memory.used_bytes <= scheduler.memory.budget_bytes
        assert len({share.seat.row.place for share in shares}) == len(shares)
        seen.append([(share.seat, share.count) for share in shares])
        for share in shares:
            seat = share.seat
            assert seat.row.capacity >= seat.filled + share.count
            seat.filled += share.count
            if seat.filled == len(seat.tokens):
                seat.request.written += 1
                if seat.request.remaining:
                    seat.tokens.append(7)
                else:
                    scheduler.finish(seat)
    raise AssertionError("it never ended")


texts = st.tuples(st.integers(1, 200), st.integers(1, 50), st.sampled_from("ab"))


@given(st.lists(texts, min_size=1, max_size=14), st.integers(256, 3000), st.booleans(), st.integers(1, 6))
def test_everything_ends_within_the_memory(wishes, budget, reuse, most):
    scheduler = scheduler_of(budget, reuse=reuse, most_logits=most)
    seats = [seat_of(range(length), reply, scope) for length, reply, scope in wishes]
    for seat in seats:
        scheduler.add(seat)
    for shares in run(scheduler):
        assert len(shares) <= most
    assert all(seat.request.remaining == 0 for seat in seats)
    assert not scheduler.running
    assert not scheduler.waiting


def test_a_text_that_has_to_make_room_for_itself_takes_part_at_once():
    """It goes on in the row of an ended text, which is too short for it, and nothing else is free."""
    scheduler = scheduler_of(256, most_logits=1)
    for length in (32, 65):
        scheduler.add(seat_of(range(length), 1))
    assert sum(count for shares in run(scheduler) for _, count in shares) >= 32 + 65
    assert not scheduler.waiting


def test_no_pass_wants_more_logits_than_there_is_room_for():
    scheduler = scheduler_of(reuse=False, pass_tokens=512, most_logits=20)
    scored, writing = seat_of(range(100), 1), seat_of([5], 9)
    scored.request.kept = lambda start, end: range(max(start, 10), end)
    writing.request.kept = lambda start, end: range(start, end)
    scheduler.add(scored)
    scheduler.add(writing)
    shares = {share.seat: share.count for share in scheduler.plan()}
    assert shares == {scored: 30, writing: 1}, "ten tokens before the first, and twenty"
    scored.filled, writing.filled = 30, 1
    writing.tokens.append(7)
    assert {share.seat: share.count for share in scheduler.plan()} == {scored: 19, writing: 1}


def test_prompts_are_read_in_pieces_while_others_are_written():
    scheduler = scheduler_of(reuse=False)
    writing, long = seat_of([5], 20), seat_of(range(200), 1)
    scheduler.add(writing)
    scheduler.plan()
    writing.filled = 1
    writing.tokens.append(7)
    scheduler.add(long)
    shares = [(share.seat, share.count) for share in scheduler.plan()]
    assert shares == [(writing, 1), (long, 63)]


def test_models_that_read_whole_prompts_are_given_whole_prompts():
    scheduler = scheduler_of(reuse=False, chunks=False)
    long = seat_of(range(200), 1)
    scheduler.add(long)
    assert [share.count for share in scheduler.plan()] == [200]


def test_what_texts_have_in_common_is_read_once():
    scheduler = scheduler_of(pass_tokens=512)
    shared = list(range(3 * BLOCK))
    seats = [seat_of([*shared, 1000 + place], 3) for place in range(5)]
    for seat in seats:
        scheduler.add(seat)
    first = scheduler.plan()
    assert [share.seat for share in first] == seats[:1], "the others wait for what the first is reading"
    seats[0].filled = len(seats[0].tokens)
    seats[0].tokens.append(7)
    second = {share.seat: share.count for share in scheduler.plan()}
    assert second == dict.fromkeys(seats, 1)
    assert [seat.reused for seat in seats] == [0, *[len(shared)] * 4]


def test_what_has_to_be_scored_is_read_anew():
    scheduler = scheduler_of()
    first, scored = seat_of(range(200), 1), seat_of(range(200), 1)
    scored.request.reusable = 100
    scheduler.add(first)
    run(scheduler)
    scheduler.add(scored)
    run(scheduler)
    assert scored.reused == 100


def test_texts_of_another_scope_are_read_anew():
    scheduler = scheduler_of(pass_tokens=512)
    one, other = seat_of(range(100), 1, "a"), seat_of(range(100), 1, "b")
    scheduler.add(one)
    run(scheduler)
    scheduler.add(other)
    run(scheduler)
    assert other.reused == 0


def test_a_conversation_goes_on_in_the_row_of_its_last_turn():
    scheduler = scheduler_of()
    first = seat_of(range(70), 5)
    scheduler.add(first)
    run(scheduler)
    row, kept = first.row, first.filled
    then = seat_of([*first.tokens, 1, 2, 3], 1)
    scheduler.add(then)
    scheduler.plan()
    assert then.row is row
    assert then.reused == kept


def test_the_youngest_makes_room_for_the_oldest_and_starts_again():
    scheduler = scheduler_of(256, reuse=False)
    old, young = seat_of(range(90), 100), seat_of(range(90), 100)
    scheduler.add(old)
    scheduler.add(young)
    ends = [seat for shares in run(scheduler) for seat, _ in shares]
    assert scheduler.preemptions >= 1
    assert ends.index(old) < ends.index(young)
    last_of_old = max(i for i, seat in enumerate(ends) if seat is old)
    assert ends[last_of_old:].count(young) > 0, "the young one ends after the old one"


def test_ended_texts_are_let_go_when_memory_is_needed():
    scheduler = scheduler_of(256)
    for start in range(5):
        scheduler.add(seat_of(range(start * 1000, start * 1000 + 100), 2))
        run(scheduler)
    assert len(scheduler.prefixes) < 5
    assert scheduler.memory.used_bytes <= scheduler.memory.budget_bytes


def test_a_text_that_is_abandoned_gives_its_row_back():
    scheduler = scheduler_of()
    seat, later = seat_of(range(100), 5), seat_of(range(100), 5)
    scheduler.add(seat)
    scheduler.plan()
    scheduler.add(later)
    scheduler.finish(seat, keep=False)
    assert scheduler.memory.filled_rows == 0
    assert [share.seat for share in scheduler.plan()] == [later], "it does not wait for what nobody reads any more"
