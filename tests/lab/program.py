"""Runs one Pulumi program for the language host, in the project's own virtual environment.

Started as a file with the run request on standard input; the last argument is the file for the response.
Nothing but the Pulumi SDK is imported, because only that is certain to be in the project's environment.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

from pulumi import RunError
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2


def main() -> None:
    """Run ``__main__.py`` of the request's folder and write the outcome."""
    # The engine interrupts at the end of a failed update, when the program has nothing more to say.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    folder, program = request.info.program_directory or request.pwd, request.info.entry_point or "."
    os.chdir(folder)
    sys.path[0] = folder
    server: Any = LanguageServer(lambda: run(Path(folder) / program))
    response = server.Run(request, None)
    Path(sys.argv[-1]).write_bytes(response.SerializeToString())


def run(program: Path) -> None:
    """Execute a program: a file, or the ``__main__.py`` of a folder.

    Raises:
        RunError: it ended itself with a status other than 0.
    """
    try:
        runpy.run_path(str(program), run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise RunError(f"Program exited with non-zero exit code: {end.code}") from end


if __name__ == "__main__":
    main()
