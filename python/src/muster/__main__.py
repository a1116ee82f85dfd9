"""`python -m muster`."""

from __future__ import annotations

import sys
import traceback

from muster._cli.arguments import parser
from muster._cli.failure import Failure, failure_of
from muster._cli.join import join
from muster._cli.output import note


def main(arguments: list[str] | None = None) -> int:
    """Run a command. Returns its exit code."""
    values = parser().parse_args(arguments)
    try:
        return join(values)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - what is unexpected is raised again
        failure = failure_of(error)
        note(f"muster: {failure}")
        if isinstance(error, Failure) and error.__cause__ is not None:
            traceback.print_exception(error.__cause__)  # the module of the user: where it failed
        return failure.exit_code


if __name__ == "__main__":
    sys.exit(main())
