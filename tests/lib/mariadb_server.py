"""A MariaDB server of the system for tests: on loopback, in a temporary folder, ended by its own process ID."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from needs import need
from postgres_server import unprivileged
from redis_server import free_port

HOSTS = ("%", "localhost")
"""From where the user may come. `localhost` has a user without a name otherwise, who would be asked first."""
SETUP = "\n".join(
    ["CREATE DATABASE shop;", *(f"CREATE USER 'shop'@'{host}' IDENTIFIED BY 's3cret';\nGRANT ALL ON shop.* TO 'shop'@'{host}';" for host in HOSTS), ""]
)


@contextlib.contextmanager
def mariadb_server() -> Iterator[str]:
    """The data source name of an empty database, as go-sql-driver/mysql has it. Its user has a password."""
    install, server = need("mariadb-install-db"), need("mariadbd")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="otelobj-mariadb-") as name:
        folder, port = Path(name), free_port()
        run = unprivileged(folder)
        (folder / "setup.sql").write_text(SETUP)
        (folder / "setup.sql").chmod(0o644)
        data = f"--datadir={folder / 'data'}"
        subprocess.run([install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, stderr=subprocess.DEVNULL, **run)
        command = [server, "--no-defaults", data, "--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder / 'socket'}", f"--init-file={folder / 'setup.sql'}"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen([*command, "--max-connections=300", "--innodb-flush-log-at-trx-commit=0"], stderr=log, **run)
        try:
            while "ready for connections" not in (folder / "log").read_text():
                if process.poll() is not None:
                    raise AssertionError(f"mariadbd has ended with status {process.returncode}: {(folder / 'log').read_text()}")
                time.sleep(0.05)
            yield f"shop:s3cret@tcp(127.0.0.1:{port})/shop"
        finally:
            process.terminate()
            process.wait()
