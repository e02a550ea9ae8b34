"""Several GPUs, one process each."""

from types import SimpleNamespace

import pytest
import torch

from retrievals_pipeline import gpus


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Let this process see so many GPUs."""
    monkeypatch.setattr(gpus, "LOCKS", tmp_path)
    monkeypatch.setattr(gpus, "_held", [])

    def of(count):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda number: SimpleNamespace(uuid=f"gpu{number}")
        )

    yield of
    for lock in gpus._held:
        lock.close()


@pytest.mark.parametrize("count", [0, 1])
def test_without_a_choice_the_model_chooses(machine, count):
    machine(count)
    assert gpus.claim_device.__wrapped__() == "auto"


def test_each_process_takes_a_gpu_that_no_other_has(machine, caplog):
    machine(2)
    assert [gpus.claim_device.__wrapped__() for _ in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert "each of 2 GPUs is taken" in caplog.text


def test_a_gpu_is_free_again_when_its_process_ends(machine):
    machine(2)
    gpus.claim_device.__wrapped__()
    gpus._held.pop().close()
    assert gpus.claim_device.__wrapped__() == "cuda:0"
