"""What is told of a start: where it is, and why it failed, from lines that vLLM really writes."""

from __future__ import annotations

from duotune.serving.waiting import phase_of, telling

ENGINE = "(EngineCore_DP0 pid=88) ERROR 11-22 15:31:02 [core.py:712] "
DEATH = [
    f"{ENGINE}EngineCore failed to start.",
    f"{ENGINE}Traceback (most recent call last):",
    f'{ENGINE}  File "/opt/vllm/lora/utils.py", line 300, in get_adapter_absolute_path',
    f"{ENGINE}ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
    *(f"{ENGINE}  File number {number} of the traceback" for number in range(80)),
    "(APIServer pid=70)     raise RuntimeError(",
    "(APIServer pid=70) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
]


def test_the_first_cause_is_told_though_the_server_that_waited_for_it_wrote_last() -> None:
    assert telling(DEATH) == [
        "ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
    ]


def test_without_exceptions_the_last_lines_are_told() -> None:
    assert telling(["one", "", "two"]) == ["one", "two"]
    assert telling(["fine", "INFO no errors so far", "ERROR: out of space", "fine"]) == [
        "INFO no errors so far",
        "ERROR: out of space",
    ]


def test_the_phase_is_the_newest_that_the_log_tells_of() -> None:
    log = [
        "INFO Initializing a V1 LLM engine",
        "INFO Loading safetensors checkpoint shards: 50%",
        "INFO something else",
    ]
    assert phase_of(log) == "loading weights"
    assert phase_of(["nothing of ours"]) == ""
