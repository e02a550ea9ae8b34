"""img2dataset: an environment of its own, and one run of it, by that environment's Python.

Nothing here imports the project, which is not installed there.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

VERSION = "1.47.0"
ENVIRONMENT = Path(".retrievals/bench-img2dataset")
PYTHON = Path("bin/python")
PROCESSES = os.cpu_count() or 1
THREADS = 16  # of each of its processes; ours has as many in all
SECONDS_TO_INSTALL = 900


def installed(folder: Path = ENVIRONMENT) -> Path:
    """Return the Python of an environment that has img2dataset, made when it is not there.

    Raises:
        LookupError: It cannot be installed; says why.
    """
    python = folder / PYTHON
    if _has_it(python):
        return python
    commands = (
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", "--quiet", f"img2dataset=={VERSION}"],
        [python, "-c", "import img2dataset"],
    )
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=SECONDS_TO_INSTALL)
        except subprocess.TimeoutExpired as error:
            raise LookupError(f"not installed within {SECONDS_TO_INSTALL} s") from error
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()
            raise LookupError(said[-1] if said else str(error)) from error
    return python


def _has_it(python: Path) -> bool:
    if not python.exists():
        return False
    done = subprocess.run([python, "-c", "import img2dataset"], capture_output=True, check=False)
    return done.returncode == 0


def download_all(urls: Path, folder: Path, options: dict[str, object]) -> dict[str, float]:
    """Download the addresses of a file, a line each, and return what came of them.

    `seconds` are from the beginning of the first part of the work to the end of the last, by its
    own statistics: without its start and its end.
    """
    os.environ |= {"no_proxy": "127.0.0.1", "NO_ALBUMENTATIONS_UPDATE": "1"}  # asks no one else
    from img2dataset import download

    count = len(urls.read_text(encoding="ascii").split())
    download(
        url_list=str(urls),
        output_folder=str(folder),
        input_format="txt",
        output_format="files",
        processes_count=PROCESSES,
        thread_count=THREADS,
        number_sample_per_shard=-(-count // PROCESSES),
        extract_exif=False,
        compute_hash="sha256",
        timeout=30,
        **options,
    )
    parts = [json.loads(path.read_bytes()) for path in folder.glob("*_stats.json")]
    kept = [path for kind in ("jpg", "webp") for path in folder.glob(f"*/*.{kind}")]
    return {
        "seconds": max(part["end_time"] for part in parts) - min(p["start_time"] for p in parts),
        "kept": sum(part["successes"] for part in parts),
        "bytes": sum(path.stat().st_size for path in kept),
    }


if __name__ == "__main__":  # also of each process that it starts
    print(json.dumps(download_all(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))))
