"""What `retrievals doctor` looks at: everything that a build or a server needs.

Nothing is downloaded, loaded or changed.
"""

import asyncio
import difflib
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values

from retrievals_serving.cache import open_cache
from retrievals_serving.errors import ReleaseError, ReleaseNotFound, SettingsError
from retrievals_serving.explanations import Explainer
from retrievals_serving.models.checkpoints import HUB_ID, MINIATURE, SHIPPED
from retrievals_serving.promotion import hold, notice
from retrievals_serving.questions import known_queries
from retrievals_serving.release import open_release
from retrievals_serving.settings import Settings
from retrievals_serving.settings.safety import unsafe

PREFIX = "RETRIEVALS_"
LOW_DISK = 5 * 2**30  # bytes


@dataclass(frozen=True)
class Finding:
    """What one look found; `failed` when something that is needed is missing."""

    check: str
    status: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything and return the findings."""
    findings = [
        Finding("python", "ok", platform.python_version()),
        _faiss(),
        _torch(),
        _dagster(),
        *_unread_variables(),
    ]
    try:
        settings = Settings.load()
    except SettingsError as error:
        return [*findings, Finding("settings", "failed", str(error))]
    findings.append(Finding("settings", "ok", f"profile {settings.profile}"))
    findings += (Finding("settings", "failed", problem) for problem in unsafe(settings))
    looks = (_home, _embedder, _reranker, _records, _release)
    findings += (look(settings) for look in looks)
    for check, opens in SERVICE.items():
        try:
            findings.append(Finding(check, "ok", opens(settings)))
        except SettingsError as error:
            findings.append(Finding(check, "failed", str(error)))
    return findings


def _faiss() -> Finding:
    try:
        return Finding("faiss", "ok", import_module("faiss").__version__)
    except ImportError as error:
        return Finding(
            "faiss", "failed", str(error), "pip install 'retrievals[cpu]', or [gpu] with CUDA."
        )


def _torch() -> Finding:
    try:
        torch = import_module("torch")
    except ImportError as error:
        return Finding("torch", "failed", str(error), "pip install torch")
    if torch.cuda.is_available():
        return Finding("torch", "ok", f"{torch.__version__} on {torch.cuda.get_device_name()}")
    return Finding("torch", "ok", f"{torch.__version__} on the CPU")


def _dagster() -> Finding:
    try:
        return Finding("dagster", "ok", version("dagster"))
    except PackageNotFoundError:
        return Finding(
            "dagster",
            "warning",
            "not installed; only a build needs it",
            "pip install 'retrievals[pipeline]'",
        )


def _unread_variables() -> Iterator[Finding]:
    """Find variables that look like settings and that nothing reads."""
    known = {Settings.variable(name) for name in Settings.model_fields}
    env_file = Settings.model_config.get("env_file")
    written = dotenv_values(str(env_file)) if env_file else {}
    for name in sorted({name.upper() for name in (*os.environ, *written)} - known):
        if name.startswith(PREFIX):
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"Did you mean {near[0]}?" if near else "See .env.example for those there are."
            yield Finding("settings", "warning", f"nothing reads {name}", remedy)


def _home(settings: Settings) -> Finding:
    home = settings.store.root
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(
            "home", "failed", f"{home} cannot be written", "Set RETRIEVALS_HOME to another folder."
        )
    free = shutil.disk_usage(there).free
    detail = f"{home}, {free / 2**30:.0f} GiB free"
    if free < LOW_DISK:
        return Finding(
            "home", "warning", detail, "Free some space, or set RETRIEVALS_HOME to another disk."
        )
    return Finding("home", "ok", detail)


def _embedder(settings: Settings) -> Finding:
    return _checkpoint("embedder", settings.embedder)


def _reranker(settings: Settings) -> Finding:
    if settings.reranker is None:
        return Finding("reranker", "ok", "none: works keep the order of the vector search")
    return _checkpoint("reranker", settings.reranker)


def _checkpoint(kind: Literal["embedder", "reranker"], name: str) -> Finding:
    folder = SHIPPED / kind if name == MINIATURE else Path(name).expanduser()
    if folder.is_dir():
        return Finding(kind, "ok", f"{name} in {folder}")
    hub_id, _, revision = name.partition("@")
    if not HUB_ID.fullmatch(hub_id):
        return Finding(
            kind,
            "failed",
            f"{name} is neither a folder nor a hub id",
            f"Set {Settings.variable(kind)} to a folder, a hub id, or {MINIATURE}.",
        )
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(hub_id, "config.json", revision=revision or None)
    if isinstance(cached, str):
        return Finding(kind, "ok", f"{name} in {Path(cached).parent}")
    return Finding(
        kind,
        "warning",
        f"{name} is not in the cache of the hub",
        "It is downloaded when it is first needed, if the network allows.",
    )


def _records(settings: Settings) -> Finding:
    if settings.pictures is not None:
        folder = settings.pictures.expanduser()
        if folder.is_dir():
            return Finding("records", "ok", f"the folder of pictures {folder}")
        return Finding(
            "records",
            "failed",
            f"{folder} is no folder",
            "Set RETRIEVALS_PICTURES to a folder of pictures, or leave it out for a museum.",
        )
    location = settings.nga_url
    if location == MINIATURE:
        return Finding("records", "ok", "the miniature museum, which ships with the project")
    if location.startswith(("http://", "https://")):
        return Finding("records", "ok", f"{location} (not asked now)")
    if (Path(location).expanduser() / "objects.csv").is_file():
        return Finding("records", "ok", location)
    return Finding(
        "records",
        "failed",
        f"{location} holds no objects.csv",
        "Set RETRIEVALS_NGA_URL to a folder or URL of the museum's CSV files.",
    )


def _release(settings: Settings) -> Finding:
    try:
        release = open_release(settings.store)
        held = hold(settings.store)
    except ReleaseNotFound as error:
        return Finding("release", "warning", str(error))
    except ReleaseError as error:
        return Finding("release", "failed", str(error))
    detail = f"{release.release_id}, {release.manifest.works:,} works"
    return Finding("release", "warning" if held else "ok", detail, notice(held) if held else "")


def _cache(settings: Settings) -> str:
    cache = open_cache(settings)
    if cache is None:
        return "none: no answer is kept"
    cache.close()
    return f"{cache.name} (not asked now)" if settings.redis_url else cache.name


def _warm_queries(settings: Settings) -> str:
    if settings.warm_queries is None:
        return "none: no query is answered ahead"
    return f"{len(known_queries(settings.warm_queries))} in {settings.warm_queries}"


def _explanations(settings: Settings) -> str:
    explainer = Explainer.open(settings)
    if explainer is None:
        return "none: no language model is set"
    asyncio.run(explainer.close())
    return f"by {settings.llm_model} (not asked now)"


def _traces(_: Settings) -> str:
    from retrievals_serving.api.tracing import has_collector, require_exporter

    if not has_collector():
        return "none: no collector is set"
    require_exporter()
    return "to the collector that is set (not asked now)"


# What a server opens as it starts, and does not start without. Each says what it is.
SERVICE: Mapping[str, Callable[[Settings], str]] = {
    "cache": _cache,
    "warm queries": _warm_queries,
    "explanations": _explanations,
    "traces": _traces,
}
