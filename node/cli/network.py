"""``sealedger network``: what clients and auditors of this node's network pin."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import click

from attestation.verify import read_facts
from enclave_client.durations import encode_duration
from enclave_client.network_file import NetworkFile
from enclave_client.policy_words import policy_words
from ledger.format.address import encode_address
from ledger.format.genesis import Genesis, decode_genesis
from ledger.format.trust import TrustDocument, decode_trust
from node.belongs import own_network_file
from node.cli.node import home_option, json_option
from node.cli.output import show
from node.founding import read_genesis
from node.founding_trust import USUAL
from node.home import Home


@click.group()
def network() -> None:
    """What clients and auditors pin."""


@network.command("show")
@home_option
@json_option
def show_network(home: Path, as_json: bool) -> None:
    """Print the network file, which clients need and which is no secret.

    Members, auditors, platforms and limits on collateral of genesis stand before it as comments.
    With --json: what genesis says.
    """
    place = Home(home)
    if as_json:
        genesis = read_genesis(place.genesis)
        show(_facts(own_network_file(place, genesis), decode_genesis(genesis)), as_json=True)
        return
    file = NetworkFile.load(place.network)
    if place.genesis.exists():
        for line in _comments(decode_genesis(read_genesis(place.genesis))):
            click.echo(f"# {line}")
    click.echo(file.encode(), nl=False)


def _comments(genesis: Genesis) -> Iterator[str]:
    trust = decode_trust(genesis.trust)
    if trust.members:
        named = " ".join(_members(trust))
        yield f"members, {trust.member_threshold} of them decide on sessions and platforms: {named}"
    if genesis.auditors:
        yield f"auditors of the whole network: {' '.join(map(encode_address, genesis.auditors))}"
    if genesis.platforms:
        yield f"platforms enrolled from the start: {' '.join(map(bytes.hex, genesis.platforms))}"
    limits = "; ".join(_limits(trust))
    if limits:
        yield f"collateral: {limits}"


def _limits(trust: TrustDocument) -> Iterator[str]:
    if trust.grace_s:
        yield f"used for {encode_duration(trust.grace_s * 1000)} past its end"
    if trust.tcb_floor > USUAL.tcb_floor or trust.tcb_ceiling:
        highest = f"to {trust.tcb_ceiling}" if trust.tcb_ceiling else "on"
        yield f"tcbEvaluationDataNumber from {trust.tcb_floor} {highest}"


def _members(trust: TrustDocument) -> list[str]:
    return list(map(encode_address, trust.members))


def _facts(file: NetworkFile, genesis: Genesis) -> dict[str, object]:
    trust = decode_trust(genesis.trust)
    return {
        "network_id": file.network_id.hex(),
        "name": file.name,
        "profile": file.profile,
        "origin": file.origin,
        "endpoints": list(file.endpoints),
        "core": policy_words(file.policy()),  # what counts, whatever `about` says
        "roots": [hashlib.sha256(root).hexdigest() for root in trust.roots],
        "collateral": [read_facts(data).key for data in genesis.collateral],
        "grace_s": trust.grace_s,
        "tcb_floor": trust.tcb_floor,
        "tcb_ceiling": trust.tcb_ceiling,  # 0: none
        "collections": [collection.name for collection in genesis.collections],
        "members": _members(trust),
        "member_threshold": trust.member_threshold,
        "auditors": list(map(encode_address, genesis.auditors)),
        "platforms": list(map(bytes.hex, genesis.platforms)),
    }
