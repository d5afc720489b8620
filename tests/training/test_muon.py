"""Muon: orthogonal steps for hidden matrices, AdamW for the rest, one state for both."""

from __future__ import annotations

import pytest
import torch
from tiny_models import tiny_model

from luthier.training.loop import _optimizer
from luthier.training.muon import Muon, hidden_matrices, orthogonal_factor
from luthier.training.options import TrainingOptions


@pytest.mark.parametrize("shape", [(8, 8), (8, 32)])
def test_singular_values_come_near_one(shape):
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    found = orthogonal_factor(matrices)
    assert torch.linalg.svdvals(found).sub(1).abs().max() < 0.4
    exact = left @ right
    alike = (found * exact).sum((1, 2)) / (found.norm(dim=(1, 2)) * exact.norm(dim=(1, 2)))
    assert alike.min() > 0.97


def optimizer_of(model, **options):
    return _optimizer(TrainingOptions(**({"optimizer": "muon", "weight_decay": 0.1} | options)), model, 0.01)


def test_hidden_matrices_go_to_muon_and_the_rest_to_adamw():
    model = tiny_model("llama")
    optimizer = optimizer_of(model)
    assert isinstance(optimizer, Muon)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    hidden = {names[id(parameter)] for parameter in optimizer.param_groups[0]["params"]}
    assert hidden == {name for name in names.values() if "proj" in name}
    everything = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    assert sorted(everything) == sorted(names)
    assert isinstance(_optimizer(TrainingOptions(), model, 0.01), torch.optim.AdamW)
    assert len(hidden_matrices(model)) == 14


def step(model, optimizer):
    loss = model(torch.arange(3, 40)[None], labels=torch.arange(3, 40)[None]).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())


def test_a_step_has_the_size_of_the_learning_rate_and_learns():
    model = tiny_model("llama")
    optimizer, weight = optimizer_of(model, weight_decay=0.0), model.model.layers[0].mlp.up_proj.weight
    before = weight.detach().clone()
    first = step(model, optimizer)
    moved = (weight - before).detach()
    assert moved.square().mean().sqrt() == pytest.approx(0.01 * 0.2, rel=0.3)
    last = [step(model, optimizer) for _ in range(30)][-1]
    assert last < 0.8 * first


def test_no_step_where_gradients_are_not_numbers():
    model = tiny_model("llama")
    optimizer = optimizer_of(model)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer.found_inf = torch.tensor(1.0)
    step(model, optimizer)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


def test_the_state_of_both_is_one():
    model = tiny_model("llama")
    optimizer = optimizer_of(model)
    step(model, optimizer)
    kinds = {name: set(optimizer.state[parameter]) for name, parameter in model.named_parameters()}
    assert kinds["model.layers.0.mlp.up_proj.weight"] == {"momentum"}
    assert kinds["model.norm.weight"] == {"step", "exp_avg", "exp_avg_sq"}
