"""Predicts the peak memory of a training run before anything is loaded, and says what would fit when it does not.

    peak = slack x (activations + logits + workspace + gradients of the moment)
         + weights + copies + optimizer + compiled code + runtime

The bytes that a model keeps per token for the backward pass are counted, not guessed: a forward pass on PyTorch's meta
device, where tensors have sizes but no memory, lists what autograd would keep.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor, nn

from luthier.errors import CapacityError
from luthier.models.causal import BLOCK, LONGEST
from luthier.models.lora import LoraLinear, linear_layers
from luthier.models.options import ParameterOptions
from luthier.models.parameters import choose_parameters, decoder_layers
from luthier.models.shapes import CALLS, ROW
from luthier.report import Table

_TRACED = "luthier_memory_trace"
_TRACED_TOKENS = 64
_ROOM = 0.95
_WORKSPACE = 8
"""Rows of activations as wide as the widest layer, in fp32, that are alive at once beside what is kept: measured."""
_SLACK = {"cpu": 1.25, "cuda": 1.1, "mps": 1.1}
"""Memory the allocator holds per byte in use, by device. On the CPU glibc keeps freed blocks of up to 32 MB."""
_MIXED = 1.3
"""Bytes kept per token when fp32 weights are computed with in half precision, per byte kept in half precision alone:
the residual stream and the norms stay in fp32. Measured on Llama shapes."""
_ROW_CODE = 5_000_000
"""Bytes of code that PyTorch's fused attention keeps for each length of row, in half precision on a CPU: measured."""
_PRODUCT_CODE = 800_000
"""The same for a matrix product and one length of pass."""
_ATTENTION_PRODUCTS = 4
"""Different products of a block of attention, forward and backward."""
_PRODUCTS_KEPT = 1024
"""Matrix products whose code oneDNN keeps."""
_RUNTIME = {"cuda": 600_000_000}
"""What a CUDA context and its libraries take on the GPU."""


@dataclass(frozen=True, slots=True)
class MemoryRequest:
    """What a run will do. `labelled_per_pass` None means that every token may carry loss.

    `row_lengths` and `pass_lengths` count the different lengths, as rounded up, that the run computes with;
    `decoded_rows` is how many replies are written at once.
    `weight_dtype` is what the weights are stored in, `dtype` what is computed in: where the two differ, a copy of the
    weights in `dtype` is kept. `runtime_bytes` None means what this process holds now.
    """

    config: Any
    options: ParameterOptions
    dtype: torch.dtype
    weight_dtype: torch.dtype
    tokens_per_pass: int
    longest_row: int
    passes_per_step: int = 1
    labelled_per_pass: int | None = None
    row_lengths: int = 1
    pass_lengths: int = 1
    decoded_rows: int = 0
    gradient_checkpointing: bool = False
    logits_chunk: int = 1024
    device: str = "cpu"
    runtime_bytes: int | None = None
    trust_remote_code: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of the largest forward pass: a row is never cut, so the longest one may exceed the budget."""
        return max(self.tokens_per_pass, self.longest_row)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Predicted bytes at the peak, part by part; `slack` is what the allocator holds without using it."""

    runtime: int
    weights: int
    copies: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    workspace: int
    slack: int
    code: int = 0

    @property
    def new(self) -> int:
        """Bytes the run takes beyond what the process holds already."""
        return self.total - self.runtime

    @property
    def total(self) -> int:
        return sum(size for _, size in self.parts())

    def parts(self) -> tuple[tuple[str, int], ...]:
        """Returns every part by name."""
        return (
            ("weights", self.weights),
            ("weights in the number format of the computation", self.copies),
            ("gradients", self.gradients),
            ("optimizer", self.optimizer),
            ("activations kept for the backward pass", self.activations),
            ("logits of one chunk", self.logits),
            ("workspace", self.workspace),
            ("held by the allocator", self.slack),
            ("code compiled for each length", self.code),
            ("Python and libraries", self.runtime),
        )

    def table(self) -> Table:
        """Returns the parts and their sum as a table."""
        rows = [(name, gigabytes(size)) for name, size in self.parts() if size] + [("peak", gigabytes(self.total))]
        return Table("Predicted memory", ("part", "size"), tuple(rows))


def predict_memory(request: MemoryRequest) -> MemoryPlan:
    """Returns the predicted peak of a run: resident memory on a CPU, allocated memory on a GPU."""
    traced = _trace(request)
    tokens, four = request.tokens, 4
    carried = tokens if request.labelled_per_pass is None else request.labelled_per_pass
    labelled = min(carried, request.logits_chunk, tokens)
    gradients = four * traced.trainable
    head = four * traced.head if traced.head_trained else 0
    # logits in the computation's format, which become their gradient; in fp32 too, but on a CPU only some at a time
    size = torch.finfo(request.dtype).bits // 8
    exact = 0 if size == four or request.device == "cpu" else four
    logits = labelled * traced.vocab * (size + exact) + 2 * head
    activations = _activations(request, traced)
    workspace = _WORKSPACE * four * tokens * traced.widest
    # with one pass per step gradients appear while activations go; later passes of a step find all gradients there
    momentary = head if request.passes_per_step == 1 else gradients
    busy = max(activations + logits + workspace + momentary, gradients + workspace)
    gradients_at_peak = min(gradients, max(momentary, busy - activations - logits - workspace))
    return MemoryPlan(
        runtime=_runtime(request),
        weights=traced.total * (torch.finfo(request.weight_dtype).bits // 8),
        copies=traced.total * size if request.dtype != request.weight_dtype else 0,
        gradients=gradients_at_peak,
        optimizer=2 * four * traced.trainable,
        activations=activations,
        logits=logits,
        workspace=workspace,
        code=_code(request, traced),
        slack=round((_SLACK[request.device] - 1) * (activations + logits + workspace + gradients_at_peak)),
    )


def free_memory(device: str) -> int:
    """Returns the bytes that a run may still take on a device."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    free = int(psutil.virtual_memory().available)
    return min(free, limit) if (limit := _group_limit()) is not None else free


def fits(plan: MemoryPlan, free: int) -> bool:
    """Returns whether a run fits into `free` bytes, with one part in twenty to spare."""
    return plan.new <= _ROOM * free


def check_capacity(request: MemoryRequest, free: int | None = None) -> MemoryPlan:
    """Returns the plan of a run that fits; else raises `CapacityError`, which says what would fit."""
    room = free_memory(request.device) if free is None else free
    plan = predict_memory(request)
    if fits(plan, room):
        return plan
    found = [(how, other) for how, other in _alternatives(request) if fits(other, room)]
    smallest = f"no setting tried fits; a model of half the size, or a machine with {gigabytes(plan.new)} free, would"
    remedy = "; or ".join(f"{how} ({gigabytes(other.new)})" for how, other in found[:4])
    raise CapacityError(
        f"the run needs {gigabytes(plan.new)} more, and {gigabytes(room)} are free",
        where=request.device,
        remedy=f"what would fit: {remedy}" if found else smallest,
    )


def gigabytes(size: int) -> str:
    """Returns a size as people read it."""
    return f"{size / 1e9:.2f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def _alternatives(request: MemoryRequest) -> Iterator[tuple[str, MemoryPlan]]:
    """Yields cheaper ways to do the same, by flags, the least change first."""
    shorter = max(request.longest_row, request.tokens_per_pass // 4)
    short, keep = f"--max-tokens-per-pass {shorter}", "--gradient-checkpointing"
    changes: list[tuple[str, dict[str, Any]]] = [("", {})]
    if shorter < request.tokens_per_pass:
        changes.append((short, {"tokens_per_pass": shorter, "passes_per_step": max(2, request.passes_per_step)}))
    if not request.gradient_checkpointing:
        changes.append((keep, {"gradient_checkpointing": True}))
        if len(changes) == 3:
            changes.append((f"{short} {keep}", changes[1][1] | changes[2][1]))
    yield from ((flags, predict_memory(replace(request, **change))) for flags, change in changes[1:])
    leaner = _leaner(request)
    if leaner is not None:
        for flags, change in (changes[0], changes[-1]) if len(changes) > 1 else changes:
            yield f"{leaner[0]} {flags}".strip(), predict_memory(replace(leaner[1], **change))


def _leaner(request: MemoryRequest) -> tuple[str, MemoryRequest] | None:
    """Returns the same work with new low-rank weights over a base in half precision, where it was more."""
    half = replace(request, dtype=torch.bfloat16, weight_dtype=torch.bfloat16)
    if request.options.train in ("lora", "dora"):
        return None if request.weight_dtype == torch.bfloat16 else ("--precision bf16", half)
    return "--train lora --precision bf16", replace(half, options=ParameterOptions())


@dataclass(frozen=True, slots=True)
class _Traced:
    """Numbers of a model: parameters, and bytes kept per token by the whole model and by one decoder layer."""

    total: int
    trainable: int
    head: int
    head_trained: bool
    vocab: int
    hidden: int
    widest: int
    shapes: frozenset[tuple[int, ...]]
    layers: int
    kept: float


def _trace(request: MemoryRequest) -> _Traced:
    """Builds the model on the meta device as it will be trained, and counts."""
    from transformers import AutoModelForCausalLM

    loader: Any = AutoModelForCausalLM
    config = copy.deepcopy(request.config)  # the model writes its attention into the configuration it is given
    with torch.device("meta"), _traced_attention(request.longest_row):
        extra = {"trust_remote_code": True} if request.trust_remote_code else {}
        try:
            model = loader.from_config(config, dtype=request.dtype, attn_implementation=_TRACED, **extra)
        except (ValueError, ImportError):  # a model that brings its own attention
            model = loader.from_config(copy.deepcopy(request.config), dtype=request.dtype, **extra)
        shapes = {tuple(layer.weight.shape) for layer in linear_layers(decoder_layers(model)[1]).values()}
        chosen = choose_parameters(model, request.options, generator_seed=0)
        model.train()
        kept = _kept_per_token(model)
    head = model.get_output_embeddings()
    return _Traced(
        total=chosen.total,
        trainable=chosen.count,
        head=head.weight.numel(),
        head_trained=head.weight.requires_grad,
        vocab=head.weight.shape[0],
        hidden=head.weight.shape[1],
        widest=max(max(shape) for shape in shapes),
        shapes=frozenset(shapes),
        layers=len(decoder_layers(model)[1]),
        kept=kept,
    )


def _kept_per_token(model: Any) -> float:
    """Returns the bytes per token that autograd keeps for the backward pass of the decoder, parameters aside."""
    own = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    kept: dict[int, Any] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage  # held, so that no other storage takes its number
        return tensor

    tokens = torch.zeros(1, _TRACED_TOKENS, dtype=torch.int64, device="meta")
    # a ready mask: with none, transformers would look at the values of positions, which meta tensors do not have
    mask = torch.ones(1, 1, _TRACED_TOKENS, _TRACED_TOKENS, dtype=torch.bool, device="meta")
    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            held = model.base_model(tokens, attention_mask=mask, use_cache=False)
    except (RuntimeError, TypeError, ValueError, NotImplementedError, AttributeError):
        return _kept_by_linears(model)
    del held
    return float(sum(storage.nbytes() for key, storage in kept.items() if key not in own)) / _TRACED_TOKENS


def _kept_by_linears(model: Any) -> float:
    """A fair guess for models that cannot be traced: inputs and outputs of all linear layers, and four more rows."""
    layers = decoder_layers(model)[1]
    linears = [module for module in layers.modules() if isinstance(module, LoraLinear)]
    rows = sum(sum(layer.weight.shape) for layer in (*linear_layers(layers).values(), *linears))
    hidden = int(model.get_output_embeddings().weight.shape[1])
    return float((rows + 4 * len(layers) * hidden) * torch.finfo(model.dtype).bits // 8)


class _KeptAttention(torch.autograd.Function):
    """Keeps what a fused attention kernel keeps: query, key, value, output and one number per row."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scores: Tensor | None) -> Tensor:
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out, query.new_empty(query.shape[:3], dtype=torch.float32), scores)
        return out


@contextlib.contextmanager
def _traced_attention(longest_row: int) -> Iterator[None]:
    """Registers an attention that computes nothing and keeps what the real one would."""
    from transformers import AttentionInterface

    keep: Any = _KeptAttention.apply

    def attend(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **rest: Any
    ) -> tuple[Tensor, None]:
        scores = None
        if rest.get(
            "dropout"
        ):  # no fused kernel drops attention weights: they are kept, twice, for each pair of tokens
            scores = query.new_empty(2, query.shape[1], query.shape[2], longest_row)
        return keep(query, key, value, scores).transpose(1, 2).contiguous(), None

    AttentionInterface.register(_TRACED, attend)
    try:
        yield
    finally:
        AttentionInterface._global_mapping.pop(_TRACED, None)


def _activations(request: MemoryRequest, traced: _Traced) -> int:
    """Bytes kept for the backward pass; with checkpointing the input of each layer, and one layer at a time."""
    size = torch.finfo(request.weight_dtype).bits // 8
    kept = traced.kept * (_MIXED if request.dtype != request.weight_dtype else 1.0)
    if not request.gradient_checkpointing:
        return round(request.tokens * kept)
    inputs = traced.layers * traced.hidden * size
    return round(request.tokens * (inputs + kept / traced.layers))


def _code(request: MemoryRequest, traced: _Traced) -> int:
    """Bytes of the code that is compiled for each length and kept, in half precision on a CPU (`models.shapes`)."""
    if request.device != "cpu" or request.dtype == torch.float32:
        return 0
    forward = len(traced.shapes)
    each = 3 * forward
    if request.options.train in ("lora", "dora"):  # the frozen weight has no gradient; A and B have three products each
        each = 2 * forward + 3 * sum(len({shape[side] for shape in traced.shapes}) for side in (0, 1))
    blocks = min(request.row_lengths, LONGEST // ROW) + -(-min(request.longest_row, LONGEST) // BLOCK)
    attention = _ATTENTION_PRODUCTS * len(CALLS) * blocks
    products = request.pass_lengths * each + request.decoded_rows * (forward + 1) + attention
    fused = min(request.row_lengths, max(0, request.longest_row - LONGEST) // ROW)
    return fused * _ROW_CODE + min(_PRODUCTS_KEPT, products) * _PRODUCT_CODE


def _runtime(request: MemoryRequest) -> int:
    if request.runtime_bytes is not None:
        return request.runtime_bytes
    return _RUNTIME.get(request.device, 0) or int(psutil.Process().memory_info().rss)


def _group_limit(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Returns the bytes left in this container's own memory limit (cgroup v2), None where there is none."""
    try:
        limit = (root / "memory.max").read_text(encoding="ascii").strip()
        used = int((root / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return max(0, int(limit) - used) if limit.isdigit() else None
