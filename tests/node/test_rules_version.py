"""A ledger of other rules is refused by name, before anything else of it is read."""

from dataclasses import replace

import pytest

from contracts.genesis import RULES_VERSION
from ledger.errors import FormatError
from ledger.format.genesis import decode_genesis, encode_genesis
from ledger.format.trust import decode_trust, encode_trust
from node.checks import check_files
from node.cli.node import CORE_MANIFEST
from node.errors import DamagedError
from node.founding import known_genesis
from sealedger.v1 import ledger_pb2 as pb
from tests.support.real_node import RealNetwork
from tests.support.small_rules import genesis_bytes


def genesis_of(rules: int) -> bytes:
    """A genesis that names these rules."""
    genesis = decode_genesis(genesis_bytes())
    trust = replace(decode_trust(genesis.trust), rules_version=rules)
    return encode_genesis(replace(genesis, trust=encode_trust(trust)))


def test_our_own_rules_are_known() -> None:
    """A genesis of this program's rules is decoded."""
    data = genesis_of(RULES_VERSION)
    assert known_genesis(data) == decode_genesis(data)


@pytest.mark.parametrize("rules", [1, 2, RULES_VERSION + 1])
def test_other_rules_are_refused_by_name(rules: int) -> None:
    """The message says which rules it runs, and that it can be founded anew."""
    with pytest.raises(DamagedError, match=f"rules {rules}, this program knows") as caught:
        known_genesis(genesis_of(rules))
    assert "found the network anew" in caught.value.hint


def test_a_genesis_of_the_first_rules_need_not_decode() -> None:
    """It lacks limits that came later; what is said of it is not that."""
    old = pb.Genesis.FromString(genesis_of(1))
    old.limits.ClearField("identity_sessions")
    old.limits.ClearField("owner_releases")
    data = old.SerializeToString(deterministic=True)
    with pytest.raises(FormatError):
        decode_genesis(data)
    with pytest.raises(DamagedError, match="rules 1"):
        known_genesis(data)


def test_what_is_no_genesis_is_malformed() -> None:
    """Bytes that name no rules are judged as bytes."""
    for data in (b"", b"\xff", b"\x2a\x01\xff"):
        with pytest.raises(FormatError):
            known_genesis(data)


def test_the_check_before_the_start_says_so(founded: RealNetwork) -> None:
    """`node config check` and `node start` name the file and what to do."""
    genesis = founded.home.genesis
    old = decode_genesis(genesis.read_bytes())
    trust = replace(decode_trust(old.trust), rules_version=1)
    genesis.write_bytes(encode_genesis(replace(old, trust=encode_trust(trust))))
    problems = check_files(founded.home, CORE_MANIFEST, {}).problems
    assert any("rules 1" in one.message and "anew" in one.fix for one in problems)
