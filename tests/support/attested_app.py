"""``python -m tests.support.attested_app``: an app in a process of its own, with its own platform.

Its task is JSON on standard input; what came of it is JSON on standard output. Receipts are files.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from attestation.platforms.software import SoftwarePlatform
from enclave_client.client import SecretClient
from enclave_client.errors import AttestationFailedError, RefusedError, SealedgerClientError
from enclave_client.receipts import Receipt
from tests.support.repository import ROOT

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Task:
    """Where to connect, who to be, what to do: paths are text, values hex."""

    network: str
    platform: str
    manifest: str
    collection: str
    put: dict[str, str]
    get: list[str]
    receipts: str = ""  # a folder; each receipt is a file PUT-NAME or GET-NAME there


@dataclass(frozen=True, slots=True)
class Done:
    """The values that were read, or the error: its class, its reason or check, its words."""

    values: dict[str, str]
    error: str = ""
    why: str = ""
    said: str = ""


async def work(task: Task) -> Done:
    """Do it; an error of the client ends it."""
    values: dict[str, str] = {}
    try:
        async with SecretClient.connect(
            network=Path(task.network),
            platform=SoftwarePlatform.open(Path(task.platform), Path(task.manifest)),
            collection=task.collection,
            allow_development=True,
        ) as client:
            for name, value in task.put.items():
                stored = await client.put(name, bytes.fromhex(value))
                _keep(task, f"put-{name}", stored.receipt)
            for name in task.get:
                got = await client.get(name)
                values[name] = got.value.hex()
                _keep(task, f"get-{name}", got.receipt)
    except RefusedError as error:
        return Done(values, type(error).__name__, error.reason.name, str(error))
    except AttestationFailedError as error:
        return Done(values, type(error).__name__, str(error.check), str(error))
    except SealedgerClientError as error:
        return Done(values, type(error).__name__, "", str(error))
    return Done(values)


async def run_app(task: Task) -> Done:
    """The same in another process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tests.support.attested_app"),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    asked = json.dumps(asdict(task)).encode()
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate(asked)
    if process.returncode:
        raise AssertionError(f"the app ended with {process.returncode}: {err.decode()}")
    return Done(**json.loads(out))


def _keep(task: Task, name: str, receipt: Receipt) -> None:
    if task.receipts:
        receipt.save(Path(task.receipts) / name)


def main() -> None:
    """One task."""
    done = asyncio.run(work(Task(**json.loads(sys.stdin.read()))))
    sys.stdout.write(json.dumps(asdict(done)))


if __name__ == "__main__":
    main()
