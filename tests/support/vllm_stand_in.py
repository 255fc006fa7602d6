"""A process with vLLM's command line and routes, for tests of what duotune does when vLLM misbehaves.

Run as `python vllm_stand_in.py serve --config FILE`. It answers the recorded log-probabilities of the contract.json in
an adapter's directory, as a right server would. `behaviour.json` beside the configuration makes it misbehave:
`dies` (as it starts), `dies_with` (names that end its start), `wrong` (names that answer as the base model does),
`hides` (names that it loads but does not list), `refuses` (names that it will not load), `lingers` (how it takes
seconds to end after SIGTERM: `answering`, or `deaf`, which listens no more).
"""

from __future__ import annotations

import json
import os
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

LINGER_SECONDS = 4


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """HTTP over a unix socket."""

    daemon_threads = True
    server_name, server_port = "unix", 0


class Models:
    """What is loaded."""

    def __init__(self, config_file: Path) -> None:
        self.config: dict[str, Any] = yaml.safe_load(config_file.read_text())
        self._switches = config_file.with_name("behaviour.json")
        self.base: str = self.config["served-model-name"][0]
        self.adapters: dict[str, str] = {}
        if self.behaviour("dies"):
            sys.exit("RuntimeError: told to die")
        for module in map(json.loads, self.config.get("lora-modules", [])):
            if module["name"] in (self.behaviour("dies_with") or []):
                sys.exit(f"RuntimeError: told to die of {module['name']}")
            self.load(module["name"], module["path"])

    def behaviour(self, name: str) -> Any:
        """A switch of behaviour.json."""
        return json.loads(self._switches.read_text()).get(name) if self._switches.exists() else None

    def load(self, name: str, path: str) -> str:
        """Load an adapter; returns why not."""
        if name in (self.behaviour("refuses") or []) or not Path(path, "adapter_config.json").is_file():
            return f"No adapter found for {path}"
        self.adapters[name] = path
        return ""

    def listed(self) -> list[dict[str, Any]]:
        """The model list."""
        hidden = self.behaviour("hides") or []
        base = {"id": self.base, "root": self.config["model"], "parent": None, "max_model_len": 2048}
        return [base] + [
            {"id": name, "root": path, "parent": self.base, "max_model_len": None}
            for name, path in self.adapters.items()
            if name not in hidden
        ]

    def logprobs(self, model: str, ids: list[int]) -> list[float | None]:
        """What the contract recorded for the last tokens; -1 for those of the prompt."""
        directories = [self.adapters[model]] if model in self.adapters else list(self.adapters.values())
        side = "base" if model == self.base or model in (self.behaviour("wrong") or []) else "adapter"
        for directory in directories:
            for case in json.loads(Path(directory, "contract.json").read_text())["cases"]:
                if case["prompt_ids"] + case["target_ids"] == ids:
                    recorded: list[float] = case[side]
                    return [None, *[-1.0] * (len(ids) - len(recorded) - 1), *recorded]
        return [None, *[-1.0] * (len(ids) - 1)]


def handler(models: Models) -> type[BaseHTTPRequestHandler]:
    """The routes."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            return

        def do_GET(self) -> None:
            if self.path == "/health":
                self._answer(200, {})
            elif self.path == "/version":
                self._answer(200, {"version": "0.32.0"})
            elif self.path == "/v1/models":
                self._answer(200, {"data": models.listed()})
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.path == "/v1/load_lora_adapter" and self._may_load():
                problem = models.load(body["lora_name"], body["lora_path"])
                self._answer(400 if problem else 200, {"error": {"message": problem}})
            elif self.path == "/v1/unload_lora_adapter" and self._may_load():
                gone = models.adapters.pop(body["lora_name"], None)
                self._answer(200 if gone else 404, {"error": {"message": "" if gone else "not loaded"}})
            elif self.path == "/v1/completions":
                self._complete(body)
            else:
                self._answer(404, {"detail": "Not Found"})

        def _may_load(self) -> bool:
            return os.environ.get("VLLM_ALLOW_RUNTIME_LORA_UPDATING") == "1"

        def _complete(self, body: dict[str, Any]) -> None:
            if body["model"] != models.base and body["model"] not in models.adapters:
                self._answer(404, {"error": {"message": f"The model {body['model']} does not exist."}})
                return
            choice: dict[str, Any] = {"text": "x"}
            if "prompt_logprobs" in body:
                said = models.logprobs(body["model"], body["prompt"])
                choice["prompt_logprobs"] = [
                    None if value is None else {str(token): {"logprob": value}}
                    for token, value in zip(body["prompt"], said, strict=True)
                ]
            self._answer(200, {"choices": [choice]})

        def _answer(self, status: int, document: Any) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def main(config_file: Path) -> None:
    """Serve until a signal."""
    models = Models(config_file)
    if "uds" in models.config:
        server: socketserver.TCPServer = UnixServer(models.config["uds"], handler(models))
    else:
        server = ThreadingHTTPServer((models.config["host"], models.config["port"]), handler(models))
    lingers = models.behaviour("lingers")  # as it was when this one started
    if lingers:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end, args=(server, lingers)).start())
    server.serve_forever()


def end(server: socketserver.TCPServer, how: str) -> None:
    """End as a vLLM does that has requests to finish."""
    if how == "deaf":
        server.socket.close()
    time.sleep(LINGER_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[sys.argv.index("--config") + 1]))
