"""The chat verb over a conversation that is scripted, and over a tiny model on disk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from luthier.config import bind
from luthier.errors import Interrupted, ModelError, SpecError
from luthier.records.messages import Delta, Message, Sampling, Usage
from luthier.report import ListReport
from luthier.workflows import chat
from luthier.workflows.chat import ChatSession, Spec, interactive, run


class Scripted:
    """Replies with what is next in the script; an exception in it is raised after the text before it."""

    def __init__(self, *script):
        self.script, self.heard = list(script), []

    def deltas(self, messages, sampling, tools=()):
        self.heard.append(list(messages))
        reply = self.script.pop(0)

        def pieces():
            for part in reply if isinstance(reply, list) else [reply]:
                if isinstance(part, BaseException):
                    raise part
                yield Delta(text=part)
            yield Delta(finish_reason="stop", usage=Usage(1, 2))

        return pieces()


def talk(monkeypatch, scripted, lines, **spec):
    """Returns what was written when the person types `lines`; None is the end of input."""
    session = ChatSession(scripted, Sampling(), introduction="someone", system=spec.get("system"))
    monkeypatch.setattr(chat, "open_chat", lambda _: session)
    written, typed = [], iter(lines)

    def read_line():
        line = next(typed)
        if isinstance(line, BaseException):
            raise line
        return line

    interactive(Spec(**spec), read_line, written.append)
    return "".join(written), session


def test_a_conversation_goes_on_from_what_was_said(monkeypatch):
    scripted = Scripted(["Hel", "lo"], "again")
    written, _ = talk(monkeypatch, scripted, ["hi", "", "more", None], system="be kind")
    assert written.startswith("someone\n")
    assert "Hello\n" in written
    assert scripted.heard[1] == [
        Message("system", "be kind"),
        Message("user", "hi"),
        Message("assistant", "Hello"),
        Message("user", "more"),
    ]


def test_commands(monkeypatch):
    scripted = Scripted("a", "b", "c", "d")
    lines = ["one", "/reset", "two", "/system be brief", "three", "/system", "/help", "/unknown", "/quit", "never"]
    written, _ = talk(monkeypatch, scripted, lines)
    assert scripted.heard[1] == [Message("user", "two")]
    assert scripted.heard[2] == [Message("system", "be brief"), Message("user", "three")]
    assert scripted.heard[3] == [Message("user", "/unknown")]  # not a command: said to the model
    assert "/system TEXT" in written


def test_ctrl_c_stops_the_reply_and_keeps_what_was_said(monkeypatch):
    scripted = Scripted(["half a rep", KeyboardInterrupt()], "fine")
    written, session = talk(monkeypatch, scripted, ["long story?", "go on", EOFError()])
    assert "half a rep\n(stopped)\n" in written
    assert [turn.content for turn in session.messages] == ["long story?", "half a rep", "go on", "fine"]


def test_ctrl_c_while_writing_closes_the_reply(monkeypatch):
    session = ChatSession(Scripted(["a", "b"]), Sampling())
    monkeypatch.setattr(chat, "open_chat", lambda _: session)

    def write(text):
        if text == "a":
            raise KeyboardInterrupt

    lines = iter(["hi", None])
    interactive(Spec(), lambda: next(lines), write)
    assert [turn.content for turn in session.messages] == ["hi", "a"]


def test_ctrl_c_at_the_prompt_ends_only_the_second_time(monkeypatch):
    scripted = Scripted("a")
    lines = [KeyboardInterrupt(), "hi", KeyboardInterrupt(), KeyboardInterrupt(), "never"]
    written, _ = talk(monkeypatch, scripted, lines)
    assert written.count("Ctrl-C again") == 2
    assert len(scripted.heard) == 1


def test_an_error_is_said_and_the_chat_goes_on(monkeypatch):
    scripted = Scripted([ModelError("too long", where="messages")], "fine")
    written, session = talk(monkeypatch, scripted, ["long", "short", "/quit"])
    assert "messages: too long" in written
    assert "/reset" in written
    assert [turn.content for turn in session.messages] == ["short", "fine"]


def test_a_reply_that_is_cut_says_so(monkeypatch):
    class Cut(Scripted):
        def deltas(self, messages, sampling, tools=()):
            return (
                replace(delta, finish_reason=delta.finish_reason and "length")
                for delta in super().deltas(messages, sampling)
            )

    written, _ = talk(monkeypatch, Cut("endless"), ["hi", None])
    assert "(cut:" in written


def test_one_message_on_a_model_from_disk(tiny_folder):
    spec = bind(Spec, {"model": str(tiny_folder), "message": "the bow", "max_tokens": "4"}, where="chat", source="argv")
    report = ListReport()
    result = run(spec, report)
    assert result.to_json() == run(spec, ListReport()).to_json()
    assert result.tables() == [result.reply]
    assert result.usage.completion_tokens <= 4
    assert result.finish_reason in ("stop", "length")
    assert any(f"{tiny_folder}" in text and "tokens of context" in text for _, text in report.events)
    assert any("Luthier's chat template" in text for _, text in report.events)
    with pytest.raises(Interrupted):
        run(spec, ListReport(stop=True))


def test_a_session_is_an_ordinary_iterator(tiny_folder):
    session = chat.open_chat(Spec(model=str(tiny_folder), max_tokens=3, temperature=1.0, seed=1))
    assert "".join(session.say("the bow")) == session.messages[-1].content
    session.set_system("be brief")
    assert session.messages == [Message("system", "be brief")]


def test_without_a_terminal_there_must_be_a_message():
    with pytest.raises(SpecError, match="--message"):
        run(Spec(), ListReport())


def test_the_embedded_model_says_what_it_is():
    class Loaded:
        base_name, adapter, context_length, notes = "fiddle", None, 2048, ()

    assert "a small model for trying Luthier" in chat._introduction("fiddle", Loaded)
    assert "luthier chat MODEL" in chat._introduction("fiddle", Loaded)
