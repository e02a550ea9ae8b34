"""The pictures of a folder: which files they are, and which version each has.

A picture has the suffix of one, in upper or lower case; what it is in truth is seen when it is
read. Hidden files and folders are passed over. A link to a file is a file; one to a folder is not
followed, so that none leads in a circle.
"""

import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from retrievals_serving.errors import SourceError
from retrievals_serving.store import file_sha256

METADATA_CSV = "metadata.csv"
UNREADABLE = "no permission to read it"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the folder.

    Attributes:
        path: Its path in the folder, with `/`.
        version: Its time and size, for one that is a picture; whoever writes to it changes that.
        left_out: Why it is none; empty for a picture.
    """

    path: str
    version: str = ""
    left_out: str = ""


def list_files(root: Path, *, leave_out: Path) -> list[Listed]:
    """Return the files below `root` in the order of their paths; the folder `leave_out` is passed.

    What may not be read is listed as left out, and what is below it is not known.

    Raises:
        SourceError: There is no such folder, or a disk failed; what was there stays so.
    """
    files: list[Listed] = []
    folders = [root]
    passed = leave_out.resolve()  # either path may go through a link
    while folders:
        folder = folders.pop()
        try:
            entries = _visible(folder)
        except PermissionError as error:
            if folder == root:
                raise _unreadable(root, error) from error
            files.append(Listed(_path(folder, root), left_out=UNREADABLE))
            continue
        except OSError as error:
            raise _unreadable(folder, error) from error
        for entry in entries:
            path = Path(entry)
            if not entry.is_dir(follow_symlinks=False):
                files.append(_listed(path, root))
            elif path.resolve() != passed:
                folders.append(path)
    return sorted((file for file in files if file.path != METADATA_CSV), key=lambda file: file.path)


def folder_versions(root: Path, *, leave_out: Path) -> dict[str, str]:
    """Return a hash of the pictures' names, times and sizes, and of `metadata.csv` if it is there.

    Raises:
        SourceError: As for `list_files`.
    """
    digest = sha256()
    for file in list_files(root, leave_out=leave_out):
        digest.update(f"{file.path}\0{file.version}\0{file.left_out}\n".encode())
    described = root / METADATA_CSV
    versions = {"pictures": digest.hexdigest()}
    return versions | ({METADATA_CSV: file_sha256(described)} if described.is_file() else {})


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def _listed(path: Path, root: Path) -> Listed:
    """Look at one file, which may be anything but a folder."""
    name = _path(path, root)
    suffix = path.suffix.lower()
    if name != path.relative_to(root).as_posix():
        return Listed(name, left_out="name that is no Unicode")
    try:
        status = path.stat()
    except PermissionError:
        return Listed(name, left_out=UNREADABLE)
    except OSError as error:
        if path.is_symlink() or isinstance(error, FileNotFoundError):
            return Listed(name, left_out="link that leads nowhere")
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        return Listed(name, left_out="link to a folder")
    if not stat.S_ISREG(status.st_mode):
        return Listed(name, left_out="neither file nor folder")
    if suffix not in SUFFIXES:
        return Listed(name, left_out=f"other file ({suffix or 'no suffix'})")
    return Listed(name, version=f"{status.st_mtime_ns}-{status.st_size}")


def _path(path: Path, root: Path) -> str:
    """Return the path in the folder, with what is no Unicode in it escaped."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(
        f"{path} cannot be read: {error.strerror}. Set RETRIEVALS_PICTURES to a folder that can; "
        "the last good table is kept."
    )
