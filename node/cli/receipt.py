"""``sealedger receipt``: what a receipt file proves, checked without any connection.

Exit codes: 0 it is valid, 1 it is not, 2 the question cannot be answered (a file cannot be used, or
the network is a development one and nobody allowed that).
"""

import datetime as dt
from pathlib import Path

import click

from attestation.collateral_verdict import decode_collateral_verdict
from attestation.errors import AttestationError
from attestation.verdict import decode_verdict
from enclave_client.errors import NetworkFileError
from enclave_client.network_file import NetworkFile
from enclave_client.offline import verify_receipt_file
from ledger.format.address import encode_address
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.operation import AcquireKey, Delete, KeyServiceStart, Operation, Put, Read
from ledger.format.outcome import (
    CollateralUpdated,
    Conflict,
    Deleted,
    Destroyed,
    Detail,
    KeyAcquired,
    PutDone,
    ReadGranted,
    SessionOpened,
    Votes,
)
from ledger.format.platforms import VotePlatform
from ledger.format.receipt import OpenedOperation, VerifiedReceipt
from ledger.format.releases import (
    EndorseRelease,
    PublishRelease,
    RevokeRelease,
    encode_release,
    release_digest,
    release_title,
)
from ledger.format.terms import CreateCollection, Destroy, FreezeCollection, SetPolicy
from ledger.format.transaction import SignerKind
from ledger.log.proof_file import MAX_PROOF_FILE_BYTES
from ledger.log.quorum import Cosigned
from node.cli.output import UsageFault, show

Fields = dict[str, object]


@click.group()
def receipt() -> None:
    """Check receipts, offline."""


@receipt.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--network",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The network file (network.toml), from a source that you trust.",
)
@click.option(
    "--allow-development",
    is_flag=True,
    help="Accept a development network, whose operator can forge everything.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(file: Path, network: Path, allow_development: bool, as_json: bool) -> None:
    """Say what the receipt FILE proves; no connection is made.

    Exit code 0: valid. 1: not valid. 2: a file cannot be used, or the network is not allowed.
    """
    pinned = _network(network, allow_development)
    verified = verify_receipt_file(_read(file), pinned)
    entry, operations = _entry(verified, pinned), list(map(_operation, verified.opened))
    if as_json:
        show({**entry, "operations": operations}, as_json=True)
        return
    show({name: _words(value) for name, value in entry.items()}, as_json=False)
    for one in operations:
        click.echo()
        show(one, as_json=False)


def _network(path: Path, allow_development: bool) -> NetworkFile:
    try:
        network = NetworkFile.load(path)
    except NetworkFileError as error:
        raise UsageFault(error.message, error.hint) from error
    if network.is_development and not allow_development:
        raise UsageFault(
            f"network {network.name} ({network.origin}) is a development network: its operator can "
            "forge everything",
            "for trials: --allow-development",
        )
    return network


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_PROOF_FILE_BYTES + 1)
    except OSError as error:
        raise UsageFault(f"receipt {path}: {error.strerror or 'cannot be read'}") from error


def _entry(verified: VerifiedReceipt, network: NetworkFile) -> Fields:
    certified = verified.certified
    return {
        "valid": True,
        "network_id": network.network_id.hex(),
        "origin": certified.checkpoint.origin,
        "index": verified.index,
        "leaf_hash": verified.leaf_hash.hex(),
        "block_height": verified.leaf.height,
        "block_time": _time(verified.leaf.time_ms),
        "log_size": certified.checkpoint.size,
        "cosigners": list(map(_signed, certified.cosigned)),
        "witnesses": list(map(_signed, certified.witnessed)),
        "signer_kind": verified.body.signer_kind.name.lower(),
        "signer": _signer(verified.body.signer_kind, verified.body.signer),
    }


def _signer(kind: SignerKind, signer: bytes) -> str:
    return encode_address(signer) if kind is SignerKind.ACCOUNT else signer.hex()


def _signed(one: Cosigned) -> dict[str, str]:
    return {"name": one.name, "time": _time(one.time_s * 1000)}


def _words(value: object) -> object:
    if value is True:
        return "yes"
    if isinstance(value, list):
        return ", ".join(f"{one['name']} at {one['time']}" for one in value) or "none"
    return value


def _operation(opened: OpenedOperation) -> Fields:
    outcome = opened.outcome
    return {
        "position": opened.position,
        **_asked(opened.operation),
        "outcome": outcome.reason.name,
        **(_answered(outcome.detail) if outcome.detail is not None else {}),
    }


def _asked(operation: Operation) -> Fields:
    fields: Fields = {"operation": type(operation).__name__}
    match operation:
        case Put() | Read() | Delete() | Destroy():
            fields |= {"collection": operation.collection, "name": operation.name}
        case AcquireKey() | CreateCollection() | SetPolicy() | FreezeCollection():
            fields["collection"] = operation.collection
        case KeyServiceStart():
            fields["service_key"] = operation.service_key.hex()
        case UpdateCollateral():
            fields["collateral_digest"] = operation.digest.hex()
        case PublishRelease():
            named = operation.release
            fields["release"] = release_title(named.name, named.version)
            fields["release_digest"] = release_digest(encode_release(named)).hex()
        case EndorseRelease() | RevokeRelease():
            fields["release"] = release_title(operation.name, operation.version)
        case RevokeSession():
            fields["session"] = operation.session_id.hex()
            fields |= {"collection": operation.collection} if operation.collection else {}
        case _:
            pass
    return fields | _what_of_it(operation)


def _what_of_it(operation: Operation) -> Fields:
    match operation:
        case VotePlatform():
            return {"platform": operation.platform_id.hex(), "vote": operation.vote.word}
        case EndorseRelease():
            return {"release_digest": operation.release_digest.hex()}
        case Put():
            digest = operation.sealed_digest.hex()
            return {"sealed_bytes": operation.size, "sealed_digest": digest}
        case _:
            return {}


def _answered(detail: Detail) -> Fields:
    match detail:
        case PutDone() | Deleted():
            return {"version": detail.version}
        case Destroyed():
            return {"versions_destroyed": f"{detail.first} to {detail.last}"}
        case Conflict():
            return {"current_version": detail.version}
        case KeyAcquired():
            return {
                "epoch": detail.epoch,
                "session": detail.session_id.hex(),
                "identity_digest": detail.identity_digest.hex(),
            }
        case SessionOpened():
            return _session(detail)
        case CollateralUpdated():
            return _collateral(detail)
        case Votes():
            if not detail.needed:
                return {"endorsers": detail.cast}
            return {"votes": detail.cast, "votes_needed": detail.needed}
        case ReadGranted():
            return {
                "version": detail.version,
                "reader_session": detail.reader_session.hex(),
                "identity_digest": detail.identity_digest.hex(),
                "sealed_digest": detail.sealed_digest.hex(),
                "stored_in_entry": detail.put_index,
                "stored_at_position": detail.put_position,
            }


def _session(opened: SessionOpened) -> Fields:
    fields: Fields = {"session": opened.session_id.hex(), "expires": _time(opened.expires_ms)}
    try:
        identity = decode_verdict(opened.verdict).identity
    except AttestationError:
        return {**fields, "identity": "unreadable"}
    return {
        **fields,
        "platform": identity.platform,
        "measurement": identity.measurement.hex(),
        "signer": identity.signer.hex(),
        "product_id": identity.product_id,
        "svn": identity.svn,
        "tcb_status": identity.tcb_status,
    }


def _collateral(updated: CollateralUpdated) -> Fields:
    try:
        verdict = decode_collateral_verdict(updated.verdict)
    except AttestationError:
        return {"collateral": "unreadable"}
    facts = verdict.facts
    return {
        "collateral": facts.key,
        "collateral_digest": verdict.digest.hex(),
        "lowest_number": facts.lowest_number,
        "highest_number": facts.highest_number,
        "valid_from": _time(facts.valid_from_s * 1000),
        "valid_until": _time(facts.valid_until_s * 1000),
    }


def _time(milliseconds: int) -> str:
    try:
        moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
