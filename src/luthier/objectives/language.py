"""Language objectives: supervised fine-tuning and causal language modelling, both next-token cross entropy.

They read `TokenRow`s and differ in which tokens are labelled, which `tokens.encode` decides: for `sft` the assistant's
turns, for `clm` every token. Is my data right for this?

| method | rows | what is learned |
|---|---|---|
| sft | conversations, prompt and completion | the replies, given everything before them |
| clm | plain text | every token, given the tokens before it |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from luthier.models.attention import forward_packed
from luthier.models.shapes import PASS, add_rows, computing_dtype, spare
from luthier.tokens.pack import Batch, pack_rows
from luthier.tokens.token_rows import TokenRow

CHUNK = 1024
"""Label rows whose logits are alive at once: (CHUNK, V) is the most the loss ever holds."""
BLOCK_NUMBERS = 1 << 20
"""Logits that are turned into their gradient at once: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Loss:
    """`value` is differentiable: the sum over labelled tokens divided by the step's denominator. `correct` counts
    labelled tokens whose most probable prediction is the target."""

    value: Tensor
    correct: Tensor


class _HeadCrossEntropy(torch.autograd.Function):
    """Cross entropy of `hidden @ weight.T`, with the gradients taken in the forward pass, chunk by chunk.

    The logits of a chunk become the gradient in place, so that they never live beyond it: memory is O(CHUNK * V)
    instead of O(L * V), and the head's matrix product is not repeated in the backward pass.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        dtype = computing_dtype(hidden)
        compute = weight.to(dtype)
        loss = torch.zeros((), dtype=torch.float32, device=hidden.device)
        correct = torch.zeros((), dtype=torch.int64, device=hidden.device)
        padded = add_rows(hidden.to(dtype), spare(len(hidden), PASS, hidden))
        hidden_grad = torch.empty_like(padded) if wants_hidden else None
        weight_grad = None
        for start in range(0, len(hidden), CHUNK):
            rows, wanted = padded[start : start + CHUNK], targets[start : start + CHUNK]
            logits = F.linear(rows, compute)  # (C, V); from here on d loss / d logits
            part, right = _to_gradient(logits, wanted)
            loss, correct = loss + part, correct + right
            if hidden_grad is not None:
                torch.mm(logits, compute, out=hidden_grad[start : start + CHUNK])
            if wants_weight:
                more = (logits.t() @ rows).float()
                weight_grad = more if weight_grad is None else weight_grad.add_(more)
        if hidden_grad is not None:
            hidden_grad = hidden_grad[: len(hidden)].to(hidden.dtype)
        ctx.save_for_backward(hidden_grad, weight_grad)
        ctx.weight_dtype, ctx.scale = weight.dtype, scale
        ctx.mark_non_differentiable(correct)
        return loss * scale, correct

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        hidden_grad, weight_grad = ctx.saved_tensors
        factor = grads[0] * ctx.scale
        to_hidden = None if hidden_grad is None else hidden_grad * factor.to(hidden_grad.dtype)
        to_weight = None if weight_grad is None else (weight_grad * factor).to(ctx.weight_dtype)
        return to_hidden, to_weight, None, None


def _to_gradient(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Turns logits (C, V) into the gradient of their summed cross entropy, in place and computed in fp32.

    Returns the sum, and how many targets were most probable. Rows beyond those of `targets` become zero. The gradient
    is not yet scaled: small shares of a probability are no numbers of fp16.
    """
    loss = torch.zeros((), dtype=torch.float32, device=logits.device)
    correct = torch.zeros((), dtype=torch.int64, device=logits.device)
    size = max(1, BLOCK_NUMBERS // logits.shape[1]) if logits.device.type == "cpu" else CHUNK
    for rows, wanted in zip(torch.split(logits[: len(targets)], size), torch.split(targets, size), strict=True):
        numbers = rows.float()  # (R, V)
        at_target = numbers.gather(1, wanted[:, None])
        most, place = numbers.max(1, keepdim=True)
        total = numbers.sub_(most).exp_().sum(1, keepdim=True)
        loss += (total.log() + most - at_target).sum()
        correct += (place == wanted[:, None]).sum()
        numbers.div_(total).scatter_add_(1, wanted[:, None], numbers.new_full((len(wanted), 1), -1.0))
        rows.copy_(numbers)
    logits[len(targets) :] = 0
    return loss, correct


def head_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, scale: float) -> Loss:
    """Returns `scale` times the summed cross entropy of the head's predictions.

    hidden (L, H) at the label positions, weight (V, H) of the output head, targets (L,).
    """
    value, correct = _HeadCrossEntropy.apply(hidden, weight, targets, scale)  # type: ignore[no-untyped-call]
    return Loss(value, correct)


def logit_cross_entropy(logits: Tensor, targets: Tensor, scale: float) -> Loss:
    """Returns the same from ready logits (L, V): for heads that do more than one matrix product."""
    value = F.cross_entropy(logits.float(), targets, reduction="sum") * scale
    return Loss(value, (logits.argmax(-1) == targets).sum())


@dataclass(frozen=True)
class LanguageObjective:
    """Next-token cross entropy over packed rows; `direct_head` says the logits are exactly `hidden @ weight.T`."""

    direct_head: bool = True

    def count(self, rows: Sequence[TokenRow]) -> int:
        """Returns the labelled tokens that are predicted: the denominator of an optimizer step."""
        return sum(int(row.labels[1:].sum()) for row in rows)

    def collate(self, rows: Sequence[TokenRow]) -> Batch:
        """Returns the rows packed into one forward pass."""
        return pack_rows(rows)

    def loss(self, model: Any, batch: Batch, denominator: int) -> Loss:
        """Returns the pass's share of the step's loss: its summed cross entropy over `denominator` tokens."""
        if self.direct_head:
            return head_cross_entropy(hidden_states(model, batch), head_weight(model), batch.targets, 1 / denominator)
        return logit_cross_entropy(label_logits(model, batch), batch.targets, 1 / denominator)

    @torch.no_grad()
    def token_losses(self, model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        """Returns each labelled token's negative log-probability (L,) and whether it is the most probable one (L,)."""
        if not self.direct_head:
            return _gathered(label_logits(model, batch), batch.targets)
        hidden, weight = hidden_states(model, batch), head_weight(model)
        chunks = zip(torch.split(hidden, CHUNK), torch.split(batch.targets, CHUNK), strict=True)
        parts = [_gathered(F.linear(rows, weight.to(rows.dtype)), wanted) for rows, wanted in chunks]
        return torch.cat([losses for losses, _ in parts]), torch.cat([right for _, right in parts])


def _gathered(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    log_p = F.log_softmax(logits.float(), -1)  # (L, V)
    return -log_p.gather(1, targets[:, None]).squeeze(1), log_p.argmax(-1) == targets


def hidden_states(model: Any, batch: Batch) -> Tensor:
    """Returns the decoder's last hidden states (L, H) at the label positions."""
    decoder = model.get_decoder()
    states: Tensor = forward_packed(decoder, batch).last_hidden_state[0]  # (T, H)
    return states[batch.label_positions]


def label_logits(model: Any, batch: Batch) -> Tensor:
    """Returns the model's own logits (L, V) at the label positions."""
    logits: Tensor = forward_packed(model, batch).logits[0]  # (T, V)
    return logits[batch.label_positions]


def head_weight(model: Any) -> Tensor:
    """Returns the output head's weight (V, H) of a transformers causal model."""
    weight: Tensor = model.get_output_embeddings().weight
    return weight


@torch.no_grad()
def has_direct_head(model: Any, batch: Batch) -> bool:
    """Returns whether the model's logits on `batch` are its last hidden states times its head and nothing else.

    Asked of the model itself rather than of its configuration: soft-capping, logit scales and head biases have many
    names, and a wrong guess would train the wrong loss.
    """
    head: object = model.get_output_embeddings()
    if not isinstance(head, torch.nn.Linear) or "bias" in dict(head.named_parameters()):
        return False
    direct = F.linear(hidden_states(model, batch), head.weight).float()
    return bool(torch.allclose(direct, label_logits(model, batch).float(), rtol=1e-3, atol=1e-3))


def for_model(model: Any, sample: Sequence[TokenRow]) -> LanguageObjective:
    """Returns the objective for `model`, its head checked on `sample` rows."""
    return LanguageObjective(direct_head=has_direct_head(model, pack_rows(sample).to(model.device)))
