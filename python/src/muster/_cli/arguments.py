"""The arguments of the command line."""

from __future__ import annotations

import argparse
import math

from muster._peer.peer_drain import DRAIN_TIMEOUT_DEFAULT
from muster._protocol.constants import DRAIN_TIMEOUT_MAX
from muster._protocol.inbound_types import ROLES
from muster._version import __version__

_EXIT_CODES = """exit codes:
  0    the peer has left the mesh
  1    the call is right, and failed
  2    the call is wrong, whoever finds that out
  3    nothing answers as a mesh there, or the mesh serves nobody at the moment
  4    the mesh refuses this peer, or does not prove that it is the one that is expected
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    whole = argparse.ArgumentParser(
        prog="python -m muster", description="Muster's command line for peers in Python."
    )
    whole.add_argument("--version", action="version", version=f"muster {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _join(
        commands.add_parser(
            "join",
            help="join a mesh as a peer, and run its tasks",
            description="Joins a mesh as a peer, and runs its tasks until it is stopped or the mesh rejects it.",
            epilog=_EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    return whole


def _join(join: argparse.ArgumentParser) -> None:
    add = join.add_argument
    add("url", nargs="?", metavar="URL", help="the URL of the mesh, or a muster:// link")
    add("--link-file", metavar="FILE", help="a file with a link: URL, key of the mesh, join key")
    add(
        "--module",
        metavar="FILE",
        required=True,
        help="a module whose functions are declared by @muster.handler, or with `handlers` by kind",
    )
    add(
        "--kind",
        action="append",
        metavar="KIND",
        help="accept only tasks of this kind; repeatable; default: every kind with a handler",
    )
    add("--name", default="", help="a name for people")
    add("--role", choices=ROLES, default="worker", help="default: worker")
    add(
        "--capability",
        action="append",
        default=[],
        metavar="X",
        help="a capability that tasks can require; repeatable",
    )
    add(
        "--probe",
        action="store_true",
        help="add the capabilities of this machine: cpus, memory_gib, arch, os, python, gpu",
    )
    add("--slots", type=int, default=1, metavar="N", help="how many tasks run at once; default: 1")
    add(
        "--no-prefetch",
        action="store_true",
        help="do not hold a further task until a slot is free",
    )
    add(
        "--drain-timeout",
        type=_seconds,
        default=DRAIN_TIMEOUT_DEFAULT,
        metavar="S",
        help="seconds that running tasks may take after SIGTERM or Ctrl-C; default: 60",
    )
    add(
        "--key-file",
        metavar="FILE",
        help="the key of the peer; created if there is none; default: a new key, which is not kept",
    )
    add("--mesh-key", metavar="HEX", help="the public key that the mesh must prove")
    add(
        "--join-key-file",
        metavar="FILE",
        help="a file with a join key, which adds this peer to the allowlist; needs --key-file",
    )
    add(
        "--join-key",
        metavar="JOINKEY",
        help="the same as an argument, which other users of this machine can see",
    )
    add(
        "--retry",
        action="store_true",
        help="keep trying until the mesh is there, for services; default: exit code 3 after 10 s",
    )
    add("--json", action="store_true", help="write events as JSON, one a line")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 <= seconds <= DRAIN_TIMEOUT_MAX:
        return seconds
    raise argparse.ArgumentTypeError(f"must be 0 to {DRAIN_TIMEOUT_MAX:g} (seconds), not {text}")
