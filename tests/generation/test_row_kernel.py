"""On a GPU: the kernels beside their definition, and replies with graphs beside those without."""

from __future__ import annotations

import pytest
import torch

from benchmarks import gpu_check
from luthier.generation.row_attention import plain
from luthier.generation.steps import way_of

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
TEXTS = {"pieces": gpu_check.MIXED, "split": gpu_check.SINGLES, "whole": gpu_check.SINGLES * 20}


@needs_gpu
@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("case", gpu_check.CASES, ids=str)
def test_kernels_compute_what_their_definition_says(case, texts):
    way = way_of(torch.device("cuda"))
    error = gpu_check.difference(way.attend, "cuda", TEXTS[texts], **case)
    assert error <= gpu_check.TOLERANCE[case["dtype"]]


@needs_gpu
def test_replies_with_graphs_are_those_without():
    assert "are the same" in gpu_check.replies("cuda")


@pytest.mark.parametrize("case", gpu_check.CASES[:2], ids=str)
def test_the_comparison_sees_what_is_wrong(case):
    tolerance = gpu_check.TOLERANCE[case["dtype"]]
    assert gpu_check.difference(plain, "cpu", gpu_check.MIXED, **case) <= tolerance
    assert (
        gpu_check.difference(lambda *states, **how: plain(*states, **how) * 0.99, "cpu", gpu_check.SINGLES, **case)
        > tolerance
    )

    def unwritten(query, key, value, rows, layer, **how):
        return plain(query, key, value * 1.01, rows, layer, **how)

    assert gpu_check.difference(unwritten, "cpu", gpu_check.SINGLES, **case) == float("inf")
