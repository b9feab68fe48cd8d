"""The auditor's part: the whole log over HTTP, a receipt offline, the ledger from genesis."""

import base64
import json
from http.client import HTTPConnection, HTTPException

from deploy.demo.processes import DemoError, sealedger
from deploy.demo.stage import COLLECTION, FOLLOWED, Stage

EXPLORER = "/explorer/"


def show_explorer(stage: Stage) -> str:
    """The explorer's address; DemoError unless its page is served there."""
    connection = HTTPConnection(stage.http.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", EXPLORER)
        page = connection.getresponse()
        if page.status != 200 or b"<html" not in page.read():
            raise DemoError(f"no explorer at {stage.http}{EXPLORER}: status {page.status}")
    except HTTPException as error:
        raise DemoError(f"no explorer at {stage.http}{EXPLORER}: {error!r}") from error
    finally:
        connection.close()
    return f"explorer, for a browser while the node runs: {stage.http}{EXPLORER}"


def audit(stage: Stage) -> int:
    """Whoever has the network file recomputes the public log; how many entries it has."""
    audited = json.loads(sealedger("audit", "verify", stage.http, *stage.pinned))
    size, walked = audited["checkpoint_size"], audited["entries_walked"]
    signed = audited["signatures_verified"] + audited["signatures_not_verified"]
    if audited["verified"] is not True or walked != size or signed != audited["transactions"]:
        raise DemoError(f"the audit verified something else than the whole log: {audited}")
    stage.steps.tell(
        "audit",
        f"the log at {stage.http}: {size} entries read and recomputed,",
        f"root {audited['checkpoint_root'][:16]}, certified by the pinned quorum",
    )
    return int(size)


def verify_offline(stage: Stage, entry: int) -> None:
    """A further process checks the reader's receipt while no node runs: the read in `entry`."""
    proof = json.loads(sealedger("receipt", "verify", f"{stage.receipt}", *stage.pinned))
    (read,) = proof["operations"]
    told = (read["operation"], read["collection"], read["name"], read["outcome"])
    if (*told, proof["index"]) != ("Read", COLLECTION, FOLLOWED, "OK", entry):
        raise DemoError(f"the receipt is of something else: {told}, entry {proof['index']}")
    forged = stage.folder / "forged.receipt"
    forged.write_bytes(_rename(stage.receipt.read_bytes(), FOLLOWED.encode(), b"tls/car.pem"))
    sealedger("receipt", "verify", f"{forged}", *stage.pinned, code=1)
    stage.steps.tell(
        "offline",
        "no node runs; another process verifies the receipt of the read:",
        f"{' '.join(told)}, entry {proof['index']}, {proof['block_time']}",
        f"by identity {read['identity_digest'][:16]}; with another name in it, it is refused",
    )


def fsck(stage: Stage, audited: int) -> None:
    """The whole ledger is recomputed from genesis and compared with what is stored."""
    report = json.loads(sealedger("node", "fsck", f"--home={stage.node.home}", "--json"))
    if report["entries"] < audited:
        raise DemoError(f"the ledger has {report['entries']} entries; the auditor saw {audited}")
    stage.steps.tell(
        "fsck", f"{report['entries']} entries recomputed from genesis: log and state are right"
    )


def _rename(receipt: bytes, old: bytes, new: bytes) -> bytes:
    """A receipt that tells of another name; the bytes that it opens stand in its `extra` line."""
    lines = receipt.split(b"\n")
    opened = base64.b64decode(lines[1].removeprefix(b"extra "))
    if old not in opened:
        raise DemoError("the receipt does not open the name")
    lines[1] = b"extra " + base64.b64encode(opened.replace(old, new))
    return b"\n".join(lines)
