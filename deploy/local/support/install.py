"""Installing a part once into the cache, safely when several ask for it at the same time."""

import fcntl
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import time

LOCAL = pathlib.Path(__file__).resolve().parent.parent
CACHE = LOCAL / ".cache"


def installed(name, fill):
    """The folder `.cache/NAME`, filled by `fill(folder)` if it is not there yet.

    The folder gets its name by a rename after `fill` returned, so that it is whole whenever it is
    there. The name holds the version: another version is another folder.
    """
    folder = CACHE / name
    if folder.is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder
        began = time.monotonic()
        part = CACHE / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        fill(part)
        part.rename(folder)
        print(f"installed {name} in {time.monotonic() - began:.1f} s", file=sys.stderr)
    return folder


class Failed(Exception):
    """A command of an installation failed; the text holds what it printed."""


def run(*command, cwd=None, env=None):
    """Runs a command to its end; what it prints is shown only if it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
    except FileNotFoundError:
        raise Failed(f"not found: {words[0]}") from None
    if done.returncode:
        raise Failed(f"{done.stdout}failed: {' '.join(words)}")


def virtual_env(folder, *requirements):
    """A Python environment with the given packages, each pinned as `name==version`."""
    # Debian packs what venv needs apart.
    if not importlib.util.find_spec("ensurepip"):
        raise Failed("Python without venv: run make python, or apt-get install python3-venv")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
        "--only-binary=:all:", *requirements)
