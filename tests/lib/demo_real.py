"""`make demo-real`: the demo with PostgreSQL and Redis of the system, on loopback, in temporary folders."""

from __future__ import annotations

import subprocess
import sys

import pytest

from postgres_server import postgres_server
from redis_server import redis_server

if __name__ == "__main__":
    try:
        with postgres_server() as database, redis_server() as redis:
            done = subprocess.run([sys.executable, "-m", "objinst", "demo", "--database", database, "--redis", redis], check=False)
            sys.exit(done.returncode)
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        sys.exit(f"demo-real: {error}; on Debian, `apt-get install postgresql redis-server`, or name servers: `otelobj demo --database URL --redis HOST:PORT`")
