"""One run of img2dataset, by the Python of an environment of its own.

Nothing here imports the project, which is not installed there.
"""

import json
import os
import sys
from pathlib import Path

VERSION = "1.47.0"
ENVIRONMENT = Path(".retrievals/bench-img2dataset")
PROCESSES = os.cpu_count() or 1
THREADS = 16  # of each of its processes; ours has as many in all


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
