"""The life of one background process, which has a folder of its own.

A process holds a lock on the file `alive` in its folder by an open file that it inherits. The
kernel drops that lock when the process ends, in whatever way, so the lock tells exactly whether
the process runs; a number in a pid file could by now belong to somebody else.
"""

import contextlib
import fcntl
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

HOST = "127.0.0.1"
POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 16 << 20
LOG_TAIL_BYTES = 4096


class Daemon:
    """One process, known by its folder."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = pathlib.Path(folder).resolve()
        self.log = self.folder / f"{name}.log"

    @contextlib.contextmanager
    def control(self):
        """One verb at a time changes a process; a second start waits for the first."""
        if not self.folder.is_dir():
            # Nothing was ever started here.
            yield
            return
        with open(self.folder / "control", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def is_running(self):
        """Whether the process exists, paused or not."""
        try:
            with open(self.folder / "alive") as alive:
                fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True

    def number(self, what):
        """A number remembered in the folder: `pid` or `port`; None if there is none."""
        try:
            return int((self.folder / what).read_text())
        except (FileNotFoundError, ValueError):
            return None

    def remember(self, what, number):
        (self.folder / what).write_text(f"{number}\n")

    def start(self, command, port, answers, timeout, env=None):
        """Starts the process and returns once `answers()` is true.

        Ends this script, with the end of the log, if the process dies or `timeout` seconds pass.
        """
        require_free(port, self.name)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.old"))
        with open(self.folder / "alive", "w") as alive, open(self.log, "ab") as log:
            fcntl.flock(alive, fcntl.LOCK_EX)
            process = subprocess.Popen(
                [str(word) for word in command], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=env, start_new_session=True,
                pass_fds=[alive.fileno()])
            self.remember("pid", process.pid)
            self.remember("port", port)
        try:
            self.wait_for(process, answers, timeout)
        except BaseException:
            # Also when this script is interrupted: a start that failed leaves nothing behind.
            process.kill()
            process.wait()
            raise

    def wait_for(self, process, answers, timeout):
        deadline = time.monotonic() + timeout
        while not answers():
            if process.poll() is not None:
                self.give_up(f"ended with {process.returncode} before it answered")
            if time.monotonic() > deadline:
                self.give_up(f"did not answer within {timeout} s")
            time.sleep(POLL_SECONDS)

    def give_up(self, why):
        """Ends this script with the end of the log."""
        with contextlib.suppress(OSError), open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
            sys.stderr.write(log.read().decode(errors="replace"))
        sys.exit(f"{self.name} {why}; its log is {self.log}")

    def signal(self, which):
        if not self.is_running():
            sys.exit(f"{self.name} is not running in {self.folder}")
        os.kill(self.number("pid"), which)

    def ends_within(self, timeout):
        """Waits for the end of the process; false if it still runs after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def stop(self, timeout):
        """Ends the process cleanly, by force after `timeout` seconds. No error if none runs."""
        if not self.is_running():
            return
        self.signal(signal.SIGTERM)
        # A paused process sees nothing but this.
        self.signal_if_running(signal.SIGCONT)
        if not self.ends_within(timeout):
            print(f"{self.name} did not end within {timeout} s: killed", file=sys.stderr)
            self.kill()

    def signal_if_running(self, which):
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.number("pid"), which)

    def kill(self):
        """Ends the process by SIGKILL and waits until it is gone."""
        self.signal_if_running(signal.SIGKILL)
        self.ends_within(10)

    def pause(self):
        """Stops the process where it stands, by SIGSTOP, and returns once it stands still."""
        self.signal(signal.SIGSTOP)
        while self.is_running() and self.state() not in ("T", None):
            time.sleep(POLL_SECONDS)

    def resume(self):
        """Lets a paused process go on."""
        self.signal(signal.SIGCONT)

    def state(self):
        """The state letter of the process as Linux tells it; None where that cannot be told."""
        try:
            stat = pathlib.Path(f"/proc/{self.number('pid')}/stat").read_text()
        except OSError:
            return None
        return stat.rpartition(")")[2].split()[0]

    def memory_mib(self):
        """Resident memory in MiB; None where that cannot be told."""
        try:
            pages = pathlib.Path(f"/proc/{self.number('pid')}/statm").read_text().split()[1]
        except OSError:
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE") >> 20

    def status(self):
        """Prints one line about the process; returns the exit code: 0 if it runs, 3 if not."""
        if not self.is_running():
            print(f"{self.name}: not running in {self.folder}")
            return 3
        word = "paused" if self.state() == "T" else "running"
        memory = self.memory_mib()
        resident = f", {memory} MiB resident" if memory is not None else ""
        print(f"{self.name}: {word} on {HOST}:{self.number('port')}, pid {self.number('pid')}"
              f"{resident}, in {self.folder}")
        return 0


def require_free(port, name):
    """Ends this script if something else listens on the port: it would answer in our place."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(f"{name} cannot have {HOST}:{port}: {error.strerror}")


def exchange(port, request, count):
    """Sends `request` to a port and returns up to `count` bytes of the answer; b"" if none."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(request)
            return connection.recv(count)
    except OSError:
        return b""
