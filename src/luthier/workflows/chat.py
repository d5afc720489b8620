"""Talk with a model, a tuned one or the embedded one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import ModelName, Positional
from luthier.errors import Interrupted, LuthierError, SpecError
from luthier.generation.options import SamplingOptions
from luthier.models.options import ModelOptions
from luthier.records.messages import Delta, Message, Sampling, Usage
from luthier.report import Report

if TYPE_CHECKING:
    from luthier.generation.chat import TemplateChat

COMMANDS = """/reset        forget what was said
/system TEXT  set the system prompt and start over; without TEXT, remove it
/quit         end (or Ctrl-D)
Ctrl-C        stop the reply
"""


class Spec(ModelOptions, SamplingOptions):
    """Whom to talk with, and how its replies are drawn."""

    title = "Chat"
    model: Annotated[ModelName, Positional()] = Field(
        default="fiddle",
        description="the model: fiddle (embedded), a model, adapter or run folder, or a hub name",
    )
    system: str | None = Field(default=None, description="system prompt")
    message: str | None = Field(default=None, description="say this, print the reply and end")
    seed: int | None = Field(
        default=None, ge=0, description="seed of the random numbers; another reply each time without"
    )


@dataclass(frozen=True)
class Result:
    """One reply to one message."""

    model: str
    reply: str
    tool_calls: tuple[Mapping[str, Any], ...]
    finish_reason: str | None
    usage: Usage

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "reply": self.reply,
            "tool_calls": list(self.tool_calls),
            "finish_reason": self.finish_reason,
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
        }

    def tables(self) -> Sequence[str]:
        return [self.reply]

    def next_commands(self) -> Sequence[str]:
        return []


class ChatSession:
    """A conversation: what was said so far, and the model that answers. `introduction` says who that is."""

    def __init__(
        self, chat: TemplateChat, sampling: Sampling, *, system: str | None = None, introduction: str = ""
    ) -> None:
        self.introduction = introduction
        self._chat, self._sampling, self._system = chat, sampling, system
        self.messages: list[Message] = []
        self.last = Delta()
        self.reset()

    def reset(self) -> None:
        """Forgets everything but the system prompt."""
        self.messages = [Message("system", self._system)] if self._system else []

    def set_system(self, text: str | None) -> None:
        """Starts over with another system prompt, or none."""
        self._system = text or None
        self.reset()

    def say(self, text: str, *, between: Callable[[], None] = lambda: None) -> Generator[str, None, None]:
        """Yields the reply piece by piece. What came before an early end stays in the conversation.

        `between` is called at every token; what it raises ends the reply.
        """
        message, pieces = Message("user", text), list[str]()
        self.last = Delta()
        try:
            with closing(self._chat.deltas([*self.messages, message], self._sampling)) as deltas:
                for self.last in deltas:
                    between()
                    if self.last.text:
                        pieces.append(self.last.text)
                        yield self.last.text
        finally:
            if pieces or self.last.finish_reason:
                self.messages += [message, Message("assistant", "".join(pieces))]


def open_chat(spec: Spec) -> ChatSession:
    """Returns a conversation with the model of `spec`, which is loaded now."""
    from luthier.generation.chat import TemplateChat
    from luthier.models.load import load_model

    loaded = load_model(spec.model, spec)
    chat = TemplateChat.of(loaded, owned=True)
    sampling = spec.sampling(seed=spec.seed)
    introduction = _introduction(spec.model, loaded)
    return ChatSession(chat, sampling, system=spec.system, introduction=introduction)


def run(spec: Spec, report: Report) -> Result:
    """Returns the reply to `spec.message`. `SpecError` when there is none: a conversation needs a terminal."""
    if spec.message is None:
        raise SpecError(
            "missing; a conversation needs a terminal", where="message", remedy="give --message TEXT", param="message"
        )
    session = open_chat(spec)
    report.event("info", session.introduction)

    def between() -> None:
        if report.cancelled():
            raise Interrupted("the reply was stopped", where=spec.model)

    reply = "".join(session.say(spec.message, between=between))
    usage = session.last.usage or Usage(0, 0)
    calls = tuple(call.to_json() for call in session.last.tool_calls)
    return Result(spec.model, reply, calls, session.last.finish_reason, usage)


def interactive(spec: Spec, read_line: Callable[[], str | None], write: Callable[[str], None]) -> None:
    """Holds a conversation: reads lines until there is none, and writes replies as they come."""
    session = open_chat(spec)
    write(f"{session.introduction}\n/help lists what else you can type.\n")
    stopped = False
    while True:
        write("\n> ")
        try:
            line = read_line()
        except EOFError:
            line = None
        except KeyboardInterrupt:
            if stopped:
                return
            stopped = True
            write("\nCtrl-C again, /quit or Ctrl-D ends.\n")
            continue
        stopped = False
        if line is None or line.strip() == "/quit":
            write("\n")
            return
        if line.strip():
            _reply(session, line.strip(), write)


def _reply(session: ChatSession, line: str, write: Callable[[str], None]) -> None:
    """Does what a line says: a command, or something to answer. What goes wrong is written, and the chat goes on."""
    if line.startswith("/") and _command(session, line, write):
        return
    try:
        with closing(session.say(line)) as pieces:
            for piece in pieces:
                write(piece)
        write("\n" if session.last.finish_reason == "stop" else "\n(cut: the limit of tokens is reached)\n")
    except KeyboardInterrupt:
        write("\n(stopped)\n")
    except LuthierError as error:
        write(f"{error}\n/reset forgets what was said.\n")


def _command(session: ChatSession, line: str, write: Callable[[str], None]) -> bool:
    """Returns whether `line` was a command, which has then been done."""
    name, _, rest = line.partition(" ")
    match name:
        case "/reset":
            session.reset()
            write("Forgotten.\n")
        case "/system":
            session.set_system(rest.strip())
            write("A new conversation with this system prompt.\n" if rest.strip() else "No system prompt.\n")
        case "/help":
            write(COMMANDS)
        case _:
            return False
    return True


def _introduction(name: str, loaded: Any) -> str:
    """Returns who answers, in a line or two."""
    if loaded.base_name == "fiddle" and loaded.adapter is None and name == "fiddle":
        return "fiddle, a small model for trying Luthier; name a real one: luthier chat MODEL"
    based = f", an adapter on {loaded.base_name}" if loaded.adapter is not None else ""
    lines = [f"{name}{based}; {loaded.context_length:,} tokens of context"]
    if loaded.template.is_default:
        lines.append("It uses Luthier's chat template, as models without one do; untuned, it may not follow it.")
    return "\n".join([*lines, *loaded.notes])
