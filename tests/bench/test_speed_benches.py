"""Each speed bench in its smallest form. Those that train or need PyTorch are slow."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from speed.conversation import BENCH_PYTHON, Contender, environment, has_torch

ROOT = Path(__file__).resolve().parents[2]
needs_torch = pytest.mark.skipif(not has_torch(), reason="PyTorch is not there: scripts/setup --bench")


def test_setup_refuses_what_it_does_not_know_and_fetches_no_peers_unasked():
    done = subprocess.run([ROOT / "scripts" / "setup", "--benhc"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, 'scripts/setup: there is no "--benhc"; expected nothing or --bench.\n')
    assert "bench.txt" not in (ROOT / "requirements" / "development.txt").read_text()
    pins = [line for line in (ROOT / "requirements" / "bench.txt").read_text().splitlines() if line[0] != "#"]
    assert all(line.count("==") == 1 for line in pins)


def test_startup(bench):
    said, out = bench("startup.py", "--rounds", 2, "--only", "seewell --help")
    results = json.loads(out.read_text())["results"]
    assert set(results) == {"seewell --help, 0", "seewell --help, 1"}
    assert min(results.values()) > 0
    assert said.startswith("seewell --help ")
    assert out.with_suffix(".png").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["training", "inference"])
def test_throughput_without_pytorch(without_processes, capsys, mode):
    network = "convnet:widths=2-4,convolutions=1,normalization=batch"
    arguments = (
        "--networks",
        network,
        "--modes",
        mode,
        "--batch-sizes",
        10,
        "--rounds",
        2,
        "--steps",
        3,
        "--peak-size",
        64,
    )
    checks = ("--check-batch", 10, "--check-steps", 8, "--check-rate", 1e-3)
    found, out = without_processes("throughput", *arguments, *checks)
    losses = found[f"{network}, losses"]
    assert set(losses["losses"]) == {"seewell", "Keras", "series"}
    assert max(losses["largest_difference"].values()) < 1e-4, losses
    assert losses["losses"]["seewell"][-1] < losses["losses"]["seewell"][0]
    cell = found[f"{network}, {mode}, 10"]
    assert len(cell["rows"]) == 4
    assert not cell["failed"]
    assert set(cell["counts"].values()) == {3}
    assert all(len(row["images_per_second"]) == 2 and row["share_of_peak"] > 0 for row in cell["rows"])
    assert out.with_suffix(".png").stat().st_size > 0
    said = capsys.readouterr().out
    assert "against the best rival (Keras" in said
    again, _ = without_processes("throughput", *arguments, *checks)
    assert again == found  # from what is there already
    assert capsys.readouterr().out == said


def test_a_recipe_of_ours_trains_with_its_validations_off_the_clock():
    from seewell.training import loop
    from speed import seewell_training

    judge = loop.judge
    given = {"source": "digits", "recipe": "quick", "network": None, "seed": 0}
    given |= {"options": ["steps=20"], "augmented": True}
    found = seewell_training.make(given).train()
    assert loop.judge is judge
    assert found["seconds_validating"] > 0
    assert found["curve"]
    for point in found["curve"]:
        assert 0 < point["seconds"] <= found["seconds"]
        assert 0 <= point["accuracy"] <= 1
        assert 0 <= point["accuracy_augmented"] <= 1
    assert found["seconds_before"] > 0
    assert found["seconds_measuring"] == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_startup_to_the_first_and_the_first_resumed_update(bench):
    said, out = bench("startup.py", "--rounds", 1, "--only", "update", timeout=580)
    results = json.loads(out.read_text())["results"]
    assert len(results) == 4
    assert all(0.5 < seconds < 120 for seconds in results.values()), said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_throughput_of_everybody_in_processes_of_their_own(bench):
    arguments = ["--networks", "convnet:widths=4-8", "--batch-sizes", "10", "--rounds", 2, "--seconds", 0.3]
    said, out = bench("throughput.py", *arguments, "--check-batch", 10, "--peak-size", 256, timeout=880)
    found = json.loads(out.read_text())["results"]
    makers = {"seewell", "Keras", "series"} | ({"PyTorch"} if has_torch() else set())
    losses = found["convnet:widths=4-8, losses"]["largest_difference"]
    assert set(losses) == makers
    assert max(losses.values()) < 0.01
    for mode in ("training", "inference"):
        cell = found[f"convnet:widths=4-8, {mode}, 10"]
        assert not cell["failed"]
        assert {row["maker"] for row in cell["rows"]} == makers
    assert "against the best rival" in said


@needs_torch
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("network", ["vgg-small", "resnet20", "speed"])
def test_every_network_has_the_same_losses_in_pytorch(tmp_path, network):
    from seewell.networks.registry import list_networks
    from speed import description
    from speed.figures import largest_difference

    if network not in list_networks():
        pytest.skip(f"there is no {network} yet")
    description.write(tmp_path, network, (32, 32, 3))
    given = {"folder": str(tmp_path), "mode": "losses", "batch_size": 20, "steps": 20, "rate": 1e-4}
    found = {}
    for module in ("seewell_contender", "torch_contender"):
        contender = Contender(module, given)
        found[module] = contender.ask("losses")
        contender.close()
    assert largest_difference(*found.values()) < 0.01


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_time_to_accuracy_of_a_recipe_and_of_keras(bench):
    rivals = "seewell:quick,epochs=3;keras:epochs=2,batch=64"
    said, out = bench(
        "time_to_accuracy.py", "--sources", "digits", "--contenders", rivals, "--seeds", 2, "--targets", "0.3",
        timeout=580,
    )  # fmt: skip
    results = json.loads(out.read_text())["results"]
    assert len(results) == 4
    for one in results.values():
        seconds = [point["seconds"] for point in one["curve"]]
        assert seconds == sorted(seconds)
        assert seconds[0] > 0
        assert one["images_per_second"] > 0
    assert "digits, 30.00% validation accuracy" in said
    assert out.with_suffix(".png").stat().st_size > 0


@needs_torch
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_time_to_accuracy_of_the_airbench_port(bench, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 3
    images = rng.integers(0, 120, (600, 16, 16, 3))
    images[np.arange(600), labels * 4] += 130
    np.savez(tmp_path / "rows.npz", images=images.astype(np.uint8), labels=labels)
    rivals = "airbench:epochs=4,batch=50"
    said, out = bench(
        "time_to_accuracy.py", "--sources", tmp_path / "rows.npz", "--contenders", rivals, "--seeds", 1,
        "--targets", "0.8", timeout=580,
    )  # fmt: skip
    (result,) = json.loads(out.read_text())["results"].values()
    assert [round(point["epoch"]) for point in result["curve"]] == [1, 2, 3, 4]
    assert result["curve"][-1]["accuracy"] > 0.8, said
    assert "accuracy_augmented" not in result["curve"][-1]  # nobody asks for it here
    assert result["threads"] >= 1
    images = images.astype(np.uint8)
    np.savez(tmp_path / "split.npz", train=images, train_labels=labels, validation=images, validation_labels=labels)
    given = {"data": str(tmp_path / "split.npz"), "seed": 0, "precision": "float32", "classes": 3, "augmented": True}
    contender = Contender("torch_airbench", {**given, "options": {"epochs": 4, "batch": 50}})
    assert contender.ask("train")["curve"][-1]["accuracy_augmented"] > 0.5
    contender.close()


@needs_torch
@pytest.mark.slow
def test_the_airbench_port_keeps_to_its_definitions():
    """Whitening, Muon, mirrored edges and alternating flip, asked of PyTorch in its own environment."""
    program = """
import numpy as np, torch, torch.nn.functional as F
from speed import airbench
torch.manual_seed(0)
images = torch.randint(0, 256, (300, 12, 12, 3), dtype=torch.uint8)
network = airbench.Airbench(images, 10)
x = network.normalized(images)
y = F.conv2d(x, airbench.whitening(x, epsilon=0.0)).permute(1, 0, 2, 3).reshape(24, -1)
covariance = y[:12] @ y[:12].T / y.shape[1]
assert (covariance - torch.eye(12)).abs().max() < 1e-3, covariance
assert torch.allclose(y[:12], -y[12:])
for shape in ((40, 90), (90, 40), (64, 64)):
    matrix = torch.randn(shape)
    found = airbench.orthogonalized(matrix, steps=5)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3 and values.max() < 1.3, values
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ found @ v.T
    assert (turned - torch.diag(torch.diagonal(turned))).abs().max() < 1e-3
kernel = torch.nn.Parameter(torch.randn(8, 4, 3, 3))
kernel.grad = torch.randn_like(kernel)
before, gradient = kernel.detach().clone(), kernel.grad.clone()
airbench.Muon([kernel], lr=0.1, momentum=0.6).step()
step = airbench.orthogonalized((1.6 * gradient).reshape(8, -1)).view_as(kernel)
expected = before * 8 ** 0.5 / before.norm() - 0.1 * step
assert torch.allclose(kernel.detach(), expected, atol=1e-5)
wide = airbench.mirrored_edges(images, 2)
assert np.array_equal(wide.numpy(), np.pad(images.numpy(), ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect"))
ramp = torch.arange(8, dtype=torch.uint8).reshape(1, 1, 8, 1).expand(200, 8, 8, 1).contiguous()
batches = airbench.Batches(ramp, torch.arange(200), 200, flip=True, shift=0, seed=3)
seen = []
for _ in range(3):
    for shown, labels in batches:
        seen.append((shown[:, 0, 0, 0] > 0)[torch.argsort(labels)])
assert torch.equal(seen[0], ~seen[1]) and torch.equal(seen[0], seen[2])
assert 60 < int(seen[0].sum()) < 140
moved = airbench.Batches(images, torch.arange(300), 300, flip=False, shift=2, seed=0)
((shown, labels),) = list(moved)
assert shown.shape == images.shape and not torch.equal(shown, images[labels])
"""
    command = [str(BENCH_PYTHON), "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_scaling(bench):
    said, out = bench("scaling.py", "--small", "--rounds", 1, "--steps", 10, timeout=880)
    results = json.loads(out.read_text())["results"]
    assert all(one["peak_megabytes"] > 100 and one["images_per_second"] > 0 for one in results.values())
    for axis in ("images", "size", "batch", "cores"):
        assert f"\n{axis}\n" in said
    assert out.with_suffix(".png").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_memory(bench):
    said, out = bench(
        "memory.py",
        "--curve",
        "--counts",
        "200,4000",
        "--rounds",
        1,
        "--",
        "--network",
        "convnet:widths=4",
        "--steps",
        "5",
        timeout=580,
    )
    assert "each byte of images costs" in said
    assert len(json.loads(out.read_text())["results"]) == 3
    assert sys.platform != "linux" or min(json.loads(out.read_text())["results"].values()) > 100
