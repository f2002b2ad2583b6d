"""The command line that all local parts share."""

import argparse
import shlex
import signal
import sys
import time

from .daemon import HOST, Daemon
from .install import LOCAL, Failed


class Part:
    """A part that can be installed and run. A script describes its own in a subclass."""

    name = ""
    port = 0
    # Seconds for a clean end, and for the first answer.
    stop_timeout = 20
    start_timeout = 60

    def options(self, start):
        """Adds the part's own options of `start`."""

    def verbs(self, verbs):
        """Adds the part's own verbs: `verbs(name, help)` gives a parser to set `run` on."""

    def install(self):
        """Installs the part if it is not; returns its folder."""
        raise NotImplementedError

    def prepare(self, daemon, port, options):
        """Writes what the part reads at its start into the folder; returns the command."""
        raise NotImplementedError

    def answers(self, port):
        """Whether the part serves its port."""
        raise NotImplementedError

    def env(self, address):
        """Environment variables by which Throng and its tests find the part."""
        raise NotImplementedError


def main(part, description):
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(description=description)
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name, help, run):
        added = subparsers.add_parser(name, help=help, description=help)
        added.set_defaults(run=run)
        if name != "install":
            added.add_argument("--dir", default=LOCAL / ".data" / part.name,
                               help="folder of this instance: data, settings, log")
        return added

    verb("install", "install into the cache; does nothing if it is there",
         lambda options: print(part.install()))
    starting = verb("start", "start, and return once it answers",
                    lambda options: start(part, options))
    starting.add_argument("--port", type=int,
                          help=f"default: the one this folder had before, or {part.port}")
    starting.add_argument("--wipe", action="store_true", help="forget the data of earlier runs")
    starting.add_argument("--timeout", type=float, default=part.start_timeout,
                          help="seconds until the first answer (default: %(default)s)")
    part.options(starting)
    verb("stop", "end it cleanly; no error if it does not run",
         lambda options: controlled(part, options, lambda daemon: daemon.stop(part.stop_timeout)))
    verb("kill", "end it by SIGKILL, as a crash would",
         lambda options: controlled(part, options, Daemon.kill))
    verb("pause", "let it stand still (SIGSTOP)",
         lambda options: controlled(part, options, Daemon.pause))
    verb("resume", "let it go on (SIGCONT)",
         lambda options: controlled(part, options, Daemon.resume))
    verb("status", "say whether it runs; exit code 3 if not",
         lambda options: Daemon(part.name, options.dir).status())
    verb("env", "print the variables by which Throng and its tests find it",
         lambda options: env(part, options))
    part.verbs(verb)

    options = parser.parse_args()
    # So that an ended start still ends what it began.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(options.run(options))
    except Failed as failure:
        sys.exit(str(failure))


def start(part, options):
    part.install()
    daemon = Daemon(part.name, options.dir)
    daemon.folder.mkdir(parents=True, exist_ok=True)
    with daemon.control():
        port = options.port or daemon.number("port") or part.port
        if daemon.is_running():
            if daemon.number("port") != port:
                sys.exit(f"{part.name} in {daemon.folder} runs on port {daemon.number('port')}")
            print(f"{part.name} already runs on {HOST}:{port}")
            return
        began = time.monotonic()
        command = part.prepare(daemon, port, options)
        daemon.start(command, port, lambda: part.answers(port), options.timeout)
        print(f"{part.name} answers on {HOST}:{port} after {time.monotonic() - began:.1f} s")


def controlled(part, options, do):
    daemon = Daemon(part.name, options.dir)
    with daemon.control():
        do(daemon)


def env(part, options):
    daemon = Daemon(part.name, options.dir)
    port = daemon.number("port") or part.port
    for name, value in part.env(f"{HOST}:{port}").items():
        print(f"export {name}={shlex.quote(str(value))}")
