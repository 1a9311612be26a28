"""A ``pulumi-language-python`` over the Pulumi SDK: the part of the official CLI that is not a Go module.

The engine starts it with its own address as the last argument, reads the port from the first line of standard
output, and interrupts it at the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tests.lab.lifetime import wait_for_the_end

_PROGRAM = Path(__file__).with_name("program.py")


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine: plugins are found on PATH, and the program runs in the project's environment."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def GetPluginInfo(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPackages(  # noqa: N802
        self, _request: language_pb2.GetRequiredPackagesRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        return language_pb2.GetRequiredPackagesResponse()

    def InstallDependencies(  # noqa: N802
        self, _request: language_pb2.InstallDependenciesRequest, _context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Install nothing: the project's virtual environment is made by ``make venv``."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"The environment is made by: make venv\n")

    def RuntimeOptionsPrompts(  # noqa: N802
        self, _request: language_pb2.RuntimeOptionsRequest, _context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        return language_pb2.RuntimeOptionsResponse()

    def About(  # noqa: N802
        self, request: language_pb2.AboutRequest, _context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        python = interpreter(request.info)
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout
        return language_pb2.AboutResponse(executable=str(python), version=version.split()[-1])

    def Run(  # noqa: N802
        self, request: language_pb2.RunRequest, _context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Run the program in a process of the project's virtual environment."""
        # The SDK's server takes the engine's address from here; the engine itself leaves the arguments empty.
        request.args.insert(0, self._engine)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with tempfile.TemporaryDirectory(prefix="pulumi-language-python-") as folder:
            answer = Path(folder) / "response"
            command = [str(interpreter(request.info)), "-u", str(_PROGRAM), str(answer)]
            ended = subprocess.run(command, input=request.SerializeToString(), env=environment, check=False)
            if not answer.is_file():
                return language_pb2.RunResponse(error=f"the program ended with status {ended.returncode}")
            response = language_pb2.RunResponse.FromString(answer.read_bytes())
        # An error has been logged by then; the official host likewise only asks the engine to stop.
        return language_pb2.RunResponse(bail=True) if response.error else response


def interpreter(info: language_pb2.ProgramInfo) -> Path:
    """The Python of the virtual environment in the project's runtime options, else this one.

    A relative ``virtualenv`` is relative to the project's folder, as in the official host.

    Raises:
        FileNotFoundError: when the project names an environment that is not there.
    """
    chosen = info.options.fields["virtualenv"].string_value if "virtualenv" in info.options.fields else ""
    if not chosen:
        return Path(sys.executable)
    python = Path(info.root_directory, chosen, "bin", "python")
    if not python.is_file():
        raise FileNotFoundError(f"{python} is missing: make the virtual environment with: make venv")
    return python


def main() -> None:
    """Serve until the engine ends this process, or is gone itself."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(sys.argv[-1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    wait_for_the_end()
    server.stop(grace=None)


if __name__ == "__main__":
    main()
