"""A training that is killed at any event goes on to the adapter of an undisturbed one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.packed import build_packed_dataset

# Imports torch once, then forks a process per attempt, which dies by SIGKILL at its n-th report: before the report, so
# that what it is about (a checkpoint, a decision) may be on disk or not, as at a power loss.
NURSERY = """
import hashlib, json, os, signal, sys
from pathlib import Path
import torch, transformers, peft
from duotune.runs.reporter import SilentReporter
from duotune.training.train import train
from support.runs_config import tiny_run

dataset, model, root, scenarios = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4])
settings = {"eval_steps": 3, "save_steps": 2, "num_train_epochs": 0.7}

class Mortal(SilentReporter):
    seen, fatal = 0, 0
    def count(self, *a, **k):
        self.seen += 1
        if self.seen == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    progress = metrics = checkpoint = record = warning = count

def attempt(directory, fatal):
    report = Mortal()
    report.fatal = fatal
    train(dataset, model, tiny_run(model, training=settings), directory, report, "cpu")
    (directory / "seen").write_text(str(report.seen))

def forked(directory, fatal):
    child = os.fork()
    if child == 0:
        try:
            attempt(directory, fatal)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

answers = []
for number, deaths in enumerate(scenarios):
    directory = root / str(number)
    codes = [forked(directory, fatal) for fatal in [*deaths, 0]]
    files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted((directory / "adapter").iterdir())}
    answers.append({"codes": codes, "adapter": files, "seen": int((directory / "seen").read_text())})
print(json.dumps(answers))
"""
SCENARIOS: list[list[int]] = [[], [1], [3], [6, 5, 4], [9, 9], [11], [13], [16, 3], [24]]


def test_the_adapter_is_the_same_bytes_however_often_and_wherever_the_training_was_killed(
    micro_model: Path, tmp_path: Path
) -> None:
    dataset = build_packed_dataset(tmp_path / "dataset")
    command = [sys.executable, "-c", NURSERY, str(dataset), str(micro_model), str(tmp_path), json.dumps(SCENARIOS)]
    path = f"{Path(__file__).parents[2] / 'src'}:{Path(__file__).parents[1]}"
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": path, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    undisturbed, *disturbed = json.loads(done.stdout)
    assert undisturbed["seen"] >= max(max(deaths) for deaths in SCENARIOS[1:]), "the latest death would never happen"
    for deaths, answer in zip(SCENARIOS[1:], disturbed, strict=True):
        assert answer["codes"] == [-9] * len(deaths) + [0]
        assert answer["adapter"] == undisturbed["adapter"], deaths


@pytest.mark.slow
def test_two_threads_give_the_same_bytes_twice(micro_model: Path, tmp_path: Path) -> None:
    dataset = build_packed_dataset(tmp_path / "dataset")
    command = [sys.executable, "-c", NURSERY, str(dataset), str(micro_model), str(tmp_path), json.dumps([[], [9]])]
    path = f"{Path(__file__).parents[2] / 'src'}:{Path(__file__).parents[1]}"
    environment = {"PYTHONPATH": path, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    undisturbed, disturbed = json.loads(done.stdout)
    assert disturbed["adapter"] == undisturbed["adapter"]
