"""What an audit says: fields for machines, and sentences to be pasted into a report."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from enclave_client.network_file import NetworkFile
from ledger.format.transaction import SignerKind
from ledger.log.quorum import Cosigned
from node.audit.verify import Audited
from sealedger.version import VERSION

Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was audited: where it was read from, and by which pins."""

    source: str
    network: NetworkFile

    @property
    def pins_digest(self) -> str:
        """SHA-256 of the network file in its one spelling."""
        return hashlib.sha256(self.network.encode()).hexdigest()


def fields_of(audited: Audited, subject: Subject) -> Fields:
    """Everything about a log that holds."""
    certified, rules = audited.certified, audited.rules
    totals = rules.totals
    return {
        "verified": True,
        "source": subject.source,
        "network_id": subject.network.network_id.hex(),
        "profile": subject.network.profile,
        "origin": certified.checkpoint.origin,
        "pins_sha256": subject.pins_digest,
        "checkpoint_size": certified.checkpoint.size,
        "checkpoint_root": certified.checkpoint.root.hex(),
        "cosigners": list(map(_signed, certified.cosigned)),
        "witnesses": list(map(_signed, certified.witnessed)),
        "entries_walked": certified.checkpoint.size - audited.resumed_at,
        "entries_verified_before": audited.resumed_at,
        "extends_sizes": [one.size for one in audited.extends],
        "blocks": totals.blocks,
        "transactions": totals.transactions,
        "operations": totals.operations,
        "sessions": len(rules.sessions),
        "signatures_verified": totals.transactions - _accounts(audited),
        "signatures_not_verified": _accounts(audited),
        "first_block_time": time_text(totals.first_ms),
        "last_block_time": time_text(rules.time_ms),
        "longest_time_without_block_s": totals.longest_gap_ms // 1000,
        "trust_version": rules.versions.trust_version,
        "epoch": rules.versions.epoch,
        "rules_version": rules.versions.rules_version,
        "program": VERSION,
        "bytes_read": audited.bytes_read,
        "seconds": round(audited.seconds, 3),
    }


def statement(audited: Audited, subject: Subject) -> str:
    """In sentences: what was verified, over which checkpoint, by which pins; what was not."""
    certified, totals = audited.certified, audited.rules.totals
    checkpoint = certified.checkpoint
    signers = ", ".join(
        f"{one.name} at {time_text(one.time_s * 1000)}" for one in certified.cosigned
    )
    witnesses = ", ".join(one.name for one in certified.witnessed) or "none are pinned"
    before = (
        f" The first {audited.resumed_at} of them were verified by earlier runs, which this one "
        "goes on from."
        if audited.resumed_at
        else ""
    )
    older = "".join(
        f" The log begins with the whole log of the checkpoint of {one.size} entries, root "
        f"{one.root.hex()}."
        for one in audited.extends
    )
    development = (
        " This is a development network: whoever runs its machine can make all of this."
        if subject.network.is_development
        else ""
    )
    return (
        f"Verified: entries 0 to {checkpoint.size - 1} of the log {checkpoint.origin}, read from "
        f"{subject.source}, are exactly what the checkpoint of {checkpoint.size} entries with root "
        f"{checkpoint.root.hex()} commits to. It is signed by the log key and cosigned by "
        f"{signers}; witnesses: {witnesses}. Pinned: network {subject.network.network_id.hex()}, "
        f"keys and quorum of the network file whose canonical form has SHA-256 "
        f"{subject.pins_digest}.{before}{older}\n"
        f"Every tile and entry was read and recomputed; {totals.blocks} blocks follow one another "
        f"in height and time ({time_text(totals.first_ms)} to {time_text(audited.rules.time_ms)}); "
        f"no signer's number ran twice; every transaction ran while it was valid; "
        f"{totals.transactions - _accounts(audited)} of {totals.transactions} transactions were "
        f"checked to be signed by their session or node.{development}\n"
        f"Not verified here: the {totals.operations} operations and their outcomes, which stand "
        f"beside the log and open only to those who may see them (sealedger audit export), and the "
        f"signatures of {_accounts(audited)} transactions of accounts, which are over them."
    )


def time_text(milliseconds: int) -> str:
    """UTC with milliseconds; the number itself where it is no date."""
    try:
        moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _accounts(audited: Audited) -> int:
    return audited.rules.totals.by_kind[int(SignerKind.ACCOUNT)]


def _signed(one: Cosigned) -> dict[str, str]:
    return {"name": one.name, "time": time_text(one.time_s * 1000)}
