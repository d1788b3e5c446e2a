"""A process that publishes drawn versions, for tests that kill it or race it.

writer.py FOLDER COUNT             publish COUNT versions and end
writer.py FOLDER COUNT --die-at K  end like a power cut before the K-th call that
                                   changes the disk; exit status 9
"""

import os
import sys
from pathlib import Path

from defectkeras.registry.folders import publish_folder, staging_folder
from defectkeras.registry.manifest import MANIFEST, write_manifest

FILES = {
    "saved_model.pb": 90_000,
    "variables/variables.index": 700,
    "variables/variables.data-00000-of-00001": 1_500_000,
    "assets.extra/defectkeras/model_card.json": 1_200,
}


def publish(folder: Path) -> int:
    with staging_folder(folder) as staging:
        (staging / MANIFEST).parent.mkdir(parents=True)
        for name, size_bytes in FILES.items():
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).write_bytes(os.urandom(size_bytes))
        write_manifest(staging)
        return publish_folder(staging)


def die_at(call: int) -> None:
    """Count the audited calls that change the disk, and end before one of them."""
    count = 0
    writing = os.O_WRONLY | os.O_RDWR

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count
        changes = event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}
        if event == "open":
            changes = bool(arguments[2] & writing)
        if changes or event == "fcntl.flock":
            count += 1
            if count == call:
                os._exit(9)

    sys.addaudithook(hook)


if __name__ == "__main__":
    target, versions = Path(sys.argv[1]), int(sys.argv[2])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if "--die-at" in sys.argv:
        die_at(int(sys.argv[-1]))
    for _ in range(versions):
        publish(target)
