"""A PostgreSQL server of the system for tests: on loopback, in a temporary folder, ended by its own process ID."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from needs import missing
from redis_server import free_port

FOLDERS = "/usr/lib/postgresql/*/bin"
"""Where Debian has the programs."""
OTHER = "nobody"
"""Who runs a server where the tests are run by root."""


def unprivileged(folder: Path) -> dict[str, Any]:
    """How subprocess runs a program in a folder: by root, as another user, whose the folder then is. Servers of databases refuse root."""
    run: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
    if os.geteuid() == 0:
        other = pwd.getpwnam(OTHER)
        os.chown(folder, other.pw_uid, other.pw_gid)
        run |= {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
    return run


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of an empty database. Its user has a password."""
    installed = sorted(Path("/").glob(f"{FOLDERS[1:]}/postgres"), key=lambda path: [int(part) for part in path.parts[4].split(".")])
    found = installed[-1] if installed else shutil.which("postgres")
    programs = Path(found or missing("postgres")).resolve().parent
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="otelobj-postgres-") as name:
        folder, port = Path(name), free_port()
        run = unprivileged(folder)
        (folder / "password").write_text("s3cret")
        (folder / "password").chmod(0o644)
        initdb = [programs / "initdb", "-D", folder / "data", "-U", "shop", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-N", "--locale=C"]
        subprocess.run(initdb, check=True, **run)
        server = [programs / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(server, stderr=log, **run)
        try:
            ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            while subprocess.run(ready, check=False, **run).returncode:
                if process.poll() is not None:
                    raise AssertionError(f"postgres has ended with status {process.returncode}: {(folder / 'log').read_text()}")
                time.sleep(0.05)
            yield f"postgres://shop:s3cret@127.0.0.1:{port}/postgres?sslmode=disable"
        finally:
            process.send_signal(signal.SIGINT)  # it does not wait for clients
            process.wait()
