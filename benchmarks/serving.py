"""Many adapters of the bundled model on one real vLLM: times and memory of plan, apply, probes and a hot change.

    python benchmarks/serving.py --vllm .vllm [--adapters 100] [--slots 4]

Makes adapters of random weights with contracts that transformers computed, publishes them into a temporary home, lets
`duotune serve apply --foreground` serve them over a unix socket, adds one while it runs, and asks for single tokens
while other adapters write long answers. Needs the environment of `make vllm`. Ends with one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from duotune import paths
from duotune.adapters.contract import CONTRACT, Contract, ContractCase
from duotune.adapters.manifest import BaseModelRef, ManifestDraft
from duotune.adapters.publish import publish
from duotune.catalog.catalog import open_catalog
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint
from duotune.models.locate import fingerprint
from duotune.models.shape import read_shape
from duotune.models.tokenizer import load_tokenizer

TINY = paths.bundled_tiny_model()
CASES, PROMPT_TOKENS, TARGET_TOKENS = 16, 192, 16
RANK = 8
LONG_ANSWER_TOKENS = 256
ASKED = 20


def main() -> None:
    """Measure, print a table and the JSON line."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        home = Path(folder)
        os.environ |= {"DUOTUNE_HOME": str(home / "home"), "DUOTUNE_HOST_CONFIG": str(home / "host.toml")}
        os.environ |= {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        socket = home / "s" / "vllm.sock"
        (home / "host.toml").write_text(
            f'[serving]\nexecutable = "{arguments.vllm.absolute()}/bin/vllm"\nlisten = "unix:{socket}"\n'
            f"max_model_len = 1024\nmax_loras = {arguments.slots}\n"
        )
        maker = AdapterMaker(home)
        figures: dict[str, Any] = {"adapters": arguments.adapters, "slots": arguments.slots}
        for seed in range(arguments.adapters):
            maker.publish(seed)
        figures["plan_seconds"] = _timed("serve", "plan", "--json")[0]
        with _served() as pid:
            figures["memory_gib"] = _tree_bytes(pid) / 2**30
            figures["unchanged_plan_seconds"] = _timed("serve", "plan", "--json")[0]
            maker.publish(arguments.adapters)
            figures["hot_seconds"], applied = _timed("serve", "apply", "--yes", "--json")
            figures["hot_distance"] = applied["probes"][0]["distance"]
            figures |= _head_of_line(socket, arguments.slots)
            figures["memory_after_gib"] = _tree_bytes(pid) / 2**30
            first = json.loads(_duotune("serve", "status", "--json"))
        figures |= _from_log(home)
        assert first["good"], first
    for name, value in figures.items():
        print(f"{name:28} {value:.3f}" if isinstance(value, float) else f"{name:28} {value}")
    print(json.dumps({name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}))


class AdapterMaker:
    """Publishes adapters of random weights, each with a contract that transformers computed in bfloat16."""

    def __init__(self, home: Path) -> None:
        self._home = home
        base = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.bfloat16)
        self._model: Any = get_peft_model(
            base, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"), autocast_adapter_dtype=False
        ).eval()
        tokens = load_tokenizer(TINY).encode(Path(statistics.__file__).read_text())
        length = PROMPT_TOKENS + TARGET_TOKENS
        self._rows = [tokens[first * length :][:length] for first in range(CASES)]
        with self._model.disable_adapter():
            self._base = self._scores()

    def publish(self, seed: int) -> None:
        """Publish one."""
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self._model.named_parameters():
            if "lora_" in name:
                parameter.data = (torch.randn(parameter.shape, generator=generator) * 0.05).to(torch.bfloat16)
        name = f"adapter-{seed:03}"
        directory = self._home / "made" / name
        self._model.save_pretrained(str(directory))
        cases = [
            ContractCase(
                id=str(number),
                prompt_ids=row[:PROMPT_TOKENS],
                target_ids=row[PROMPT_TOKENS:],
                base=base,
                adapter=adapter,
            )
            for number, (row, base, adapter) in enumerate(zip(self._rows, self._base, self._scores(), strict=True))
        ]
        contract = Contract(model=fingerprint(TINY), tokenizer="", family=None, precision="bfloat16", cases=cases)
        (directory / CONTRACT).write_text(contract.model_dump_json())
        base_ref = BaseModelRef(
            path="tiny", name="tiny", fingerprint=fingerprint(TINY), architecture="Qwen2ForCausalLM"
        )
        draft = ManifestDraft(name=name, base=base_ref)
        with open_catalog() as catalog:
            publish(directory, draft, read_shape(TINY), catalog, extras={CONTRACT: directory / CONTRACT})

    def _scores(self) -> list[list[float]]:
        rows = torch.tensor(self._rows)
        with torch.inference_mode():
            logits = self._model(rows, logits_to_keep=TARGET_TOKENS + 1).logits[:, :-1].float()
        targets = rows[:, PROMPT_TOKENS:, None]
        scores: list[list[float]] = logits.log_softmax(-1).gather(2, targets)[:, :, 0].tolist()
        return scores


@contextmanager
def _served() -> Iterator[int]:
    """vLLM in the foreground of a child of ours; yields that child's process id."""
    command = [sys.executable, "-m", "duotune", "serve", "apply", "--foreground", "--yes", "--json"]
    log = Path(os.environ["DUOTUNE_HOME"]) / "apply.json"
    with log.open("w") as stream:
        child = subprocess.Popen(command, stdout=stream, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stderr is not None
        for line in child.stderr:
            if "Ctrl-C ends both" in line:
                break
        yield child.pid
    finally:
        child.send_signal(signal.SIGINT)
        child.wait()


def _head_of_line(socket: Path, slots: int) -> dict[str, float]:
    """Seconds for one token through an adapter and the base model, while others write: a slot is left, or none is."""
    with Endpoint(parse_address(f"unix:{socket}")) as endpoint:
        prompt = load_tokenizer(TINY).encode("def main():\n    ")

        def ask(model: str) -> float:
            begun = time.perf_counter()
            endpoint.complete(model, prompt, max_tokens=1)
            return time.perf_counter() - begun

        def median(model: str) -> float:
            return statistics.median(ask(model) for _ in range(ASKED))

        found = {"token_alone_seconds": median("adapter-000.v1")}
        for busy, name in ((slots - 1, "slots_left"), (slots, "slots_busy")):
            stop = threading.Event()
            writers = [threading.Thread(target=_write, args=(endpoint, number + 1, stop)) for number in range(busy)]
            for writer in writers:
                writer.start()
            time.sleep(1)
            found[f"token_{name}_seconds"] = median("adapter-000.v1")
            found[f"base_token_{name}_seconds"] = median("base")
            stop.set()
            for writer in writers:
                writer.join()
    return found


def _write(endpoint: Endpoint, number: int, stop: threading.Event) -> None:
    while not stop.is_set():
        endpoint.complete(f"adapter-{number:03}.v1", list(range(20, 60)), max_tokens=LONG_ANSWER_TOKENS)


def _from_log(home: Path) -> dict[str, float]:
    """What the first apply said of itself."""
    applied = json.loads((home / "home" / "apply.json").read_text())
    distances = [probe["distance"] for probe in applied["probes"]]
    separations = [probe["from_base"] for probe in applied["probes"] if probe["from_base"] is not None]
    return {
        "apply_seconds": applied["seconds"],
        "probe_seconds": applied["probe_seconds"],
        "largest_distance": max(distances),
        "mean_distance": statistics.fmean(distances),
        "least_from_base": min(separations),
    }


def _tree_bytes(pid: int) -> int:
    """Proportional memory of a process and all that it started."""
    processes = psutil.Process(pid).children(recursive=True)
    return sum(int(process.memory_full_info().pss) for process in processes)


def _timed(*arguments: str) -> tuple[float, Any]:
    begun = time.perf_counter()
    said = _duotune(*arguments)
    return time.perf_counter() - begun, json.loads(said)


def _duotune(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "duotune", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"`duotune {' '.join(arguments)}` ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout.splitlines()[-1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vllm", type=Path, required=True, help="environment with a bin/vllm")
    parser.add_argument("--adapters", type=int, default=100)
    parser.add_argument("--slots", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
