"""Where artifacts live: a folder, behind the few verbs that an object store has too.

Names are relative and use `/`. A file appears under its name only when it is complete, so a
reader never sees half of one and a killed writer leaves only a hidden `*.partial` behind.
"""

import fcntl
import filecmp
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PARTIAL = ".partial"
BLOCK = 1 << 20  # bytes read at a time


@dataclass(frozen=True)
class Store:
    """The artifacts below `root`."""

    root: Path

    def path(self, name: str) -> Path:
        """Return the local path of `name`, for engines that read files themselves."""
        return self.root / name

    def exists(self, name: str) -> bool:
        """Tell whether `name` is there, complete."""
        return self.path(name).exists()

    def names(self, pattern: str) -> list[str]:
        """Return the names that match the glob `pattern`, sorted, without hidden ones."""
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in self.root.glob(pattern)
            if not path.name.startswith(".")
        )

    def partials(self) -> list[str]:
        """Return the names of what killed writers left, sorted; of living ones too."""
        pattern = f".*.????????{PARTIAL}*"  # DuckDB has a log beside its file
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob(pattern))

    def read_bytes(self, name: str) -> bytes:
        """Return the content of `name`."""
        return self.path(name).read_bytes()

    def write_bytes(self, name: str, content: bytes) -> None:
        """Put `content` under `name` in one step, durably, replacing what was there."""
        with self.replacing(name) as partial:
            partial.write_bytes(content)

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Yield a path to write; on success it becomes `name` in one step, else it is removed.

        What has the very bytes already is left as it is.
        """
        final = self.path(name)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(f".{final.name}.{secrets.token_hex(4)}{PARTIAL}")
        try:
            yield partial
            if final.exists() and filecmp.cmp(partial, final, shallow=False):
                partial.unlink()
                return
            sync(partial)
            partial.replace(final)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync(final.parent)

    def remove(self, name: str) -> None:
        """Remove the file `name` if it is there."""
        self.path(name).unlink(missing_ok=True)

    @contextmanager
    def locked(self, name: str, *, shared: bool = False, wait: bool = False) -> Iterator[None]:
        """Hold the lock file `name` while the block runs, alone or with others who share it.

        The kernel lets go of it however the process ends.

        Raises:
            BlockingIOError: Others hold it, and this is not to wait for them.
        """
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as lock:
            mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(lock, mode if wait else mode | fcntl.LOCK_NB)
            yield


def sync(path: Path) -> None:
    """Make the file or folder `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def picture_name(sha256: str) -> str:
    """Return the name of the picture whose bytes hash to `sha256` (64 hex digits)."""
    return f"images/{sha256[:2]}/{sha256}.jpg"


def thumbnail_name(sha256: str) -> str:
    """Return the name of the thumbnail of the picture `sha256`."""
    return f"thumbnails/{sha256[:2]}/{sha256}.webp"


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_through(path: Path) -> None:
    """Read a file from its beginning to its end, so that its pages are in memory.

    `madvise(MADV_WILLNEED)` is advice: the kernel may read less of it, and returns before it has.
    """
    buffer = bytearray(BLOCK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
