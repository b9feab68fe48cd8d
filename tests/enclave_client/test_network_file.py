"""The network file: what it refuses, which field it names, and that it comes back as it was."""

import hashlib
import ssl
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from attestation import vendors
from attestation.policy import AllOf, AnyOf, Match, encode_policy
from enclave_client.errors import NetworkFileError
from enclave_client.network_file import NetworkFile
from ledger.errors import FormatError
from ledger.format.genesis import decode_genesis
from ledger.format.trust import decode_trust, quorum_rule
from tests.enclave_client.conftest import Machine
from tests.enclave_client.fake_ledger import FakeLedger
from tests.support.attestation_examples import RELEASE_MATCH
from tests.support.production_genesis import as_production

ENDPOINTS = ("127.0.0.1:8700", "[::1]:8700", "node.example:443")


@pytest.fixture(scope="module")
def genesis(machine: Machine) -> bytes:
    """A network's genesis."""
    return FakeLedger(machine.found()).genesis


@pytest.fixture(scope="module")
def network(genesis: bytes) -> NetworkFile:
    """Its network file."""
    return NetworkFile.from_genesis(genesis, ENDPOINTS)


def _table(network: NetworkFile) -> dict[str, Any]:
    return tomllib.loads(network.encode().decode())


def _refused(table: dict[str, Any]) -> NetworkFileError:
    with pytest.raises(NetworkFileError) as caught:
        NetworkFile.parse(tomli_w.dumps(table).encode())
    assert caught.value.hint
    return caught.value


def test_a_saved_file_comes_back_as_it_was(network: NetworkFile, tmp_path: Path) -> None:
    """Saving and loading loses nothing."""
    network.save(tmp_path / "network.toml")
    assert NetworkFile.load(tmp_path / "network.toml") == network


def test_a_file_made_from_genesis_pins_what_genesis_says(
    network: NetworkFile, genesis: bytes
) -> None:
    """Rule, roots and policy are those of the trust document."""
    trust = decode_trust(decode_genesis(genesis).trust)
    assert network.rule() == quorum_rule(trust)
    assert network.verification_rules(trust).roots == trust.roots
    assert network.origin == trust.origin
    assert "signer" in network.key_service.about


def test_roots_may_be_pem(network: NetworkFile) -> None:
    """A root as PEM is the same root."""
    table = _table(network)
    der = network.attestation.roots[0]
    table["attestation"]["roots"] = [ssl.DER_cert_to_PEM_cert(der)]
    assert NetworkFile.parse(tomli_w.dumps(table).encode()) == network


@pytest.mark.parametrize(
    "path, value, named",
    [
        (("network_id",), "00", "network_id"),
        (("network_id",), "zz" * 32, "network_id"),
        (("profile",), "production", "profile"),
        (("profile",), "single", "profile"),
        (("endpoints",), [], "endpoints"),
        (("endpoints",), ["http://example"], "endpoints"),
        (("log", "vkey"), "name+00000000+AAAA", "log"),
        (("log", "quorum"), 0, "log"),
        (("log", "quorum"), 2, "log"),
        (("log", "cosigners"), [], "log"),
        (("log", "witness_quorum"), 1, "log"),
        (("attestation", "roots"), [], "attestation.roots"),
        (("attestation", "roots"), ["!"], "attestation.roots"),
        (("attestation", "tcb_signer_pins"), ["00"], "attestation.tcb_signer_pins"),
        (("attestation", "tcb_floor"), -1, "attestation.tcb_floor"),
        (("key_service", "policy"), "", "key_service.policy"),
        (("key_service", "policy"), "ff", "key_service.policy"),
        (("surprise",), 1, "surprise"),
        (("log", "surprise"), 1, "log.surprise"),
    ],
)
def test_a_bad_field_is_named(
    network: NetworkFile, path: tuple[str, ...], value: object, named: str
) -> None:
    """Every fault names the field that has it."""
    table = _table(network)
    place = table
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert named in _refused(table).message


@pytest.mark.parametrize("field", ["network_id", "profile", "endpoints", "log", "key_service"])
def test_a_missing_field_is_named(network: NetworkFile, field: str) -> None:
    """Nothing that is pinned has a silent default."""
    table = _table(network)
    del table[field]
    assert field in _refused(table).message


def test_a_key_service_is_named_by_its_code(network: NetworkFile) -> None:
    """A client knows no ledger yet, so endorsed releases cannot name its key service."""
    table = _table(network)
    for policy in (RELEASE_MATCH, AnyOf((Match(measurement=bytes(32)), RELEASE_MATCH))):
        table["key_service"]["policy"] = encode_policy(policy).hex()
        message = _refused(table).message
        assert "key_service.policy: asks for an endorsed release" in message
        assert "measurement, signer or tdx.mr_td" in message


def test_a_key_service_s_machine_is_named_by_its_id(network: NetworkFile) -> None:
    """Nor does it know the list of enrolled platforms: a policy that asks for it admits nobody."""
    table = _table(network)
    enrolled = Match(measurement=bytes(32), enrolled=True)
    for policy in (enrolled, AllOf((AnyOf((Match(measurement=bytes(32)), enrolled)),))):
        table["key_service"]["policy"] = encode_policy(policy).hex()
        message = _refused(table).message
        assert "key_service.policy: asks for an enrolled platform" in message
        assert "platform_ids" in message


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(NetworkFileError, match="nowhere"):
        NetworkFile.load(tmp_path / "nowhere.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * (256 * 1024 + 1))
    with pytest.raises(NetworkFileError, match="over"):
        NetworkFile.load(tmp_path / "huge.toml")


def test_a_file_that_cannot_be_written_says_so(network: NetworkFile, tmp_path: Path) -> None:
    """Saving into a missing directory is a clear error."""
    with pytest.raises(NetworkFileError, match="network file"):
        network.save(tmp_path / "missing" / "network.toml")


def test_development_has_to_be_allowed(network: NetworkFile) -> None:
    """Without permission a development network is refused, with it taken."""
    with pytest.raises(NetworkFileError, match="development"):
        network.verify_allowed(allow_development=False)
    network.verify_allowed(allow_development=True)


def test_a_production_network_believes_vendors_only(
    genesis: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: a network that calls itself `single`, under a root of software that anybody can use.

    Neither is a file made of its genesis, nor one taken that names such a root or TCB signer beside
    the vendor's.
    """
    root, software, pin = b"a vendor's root", b"software", vendors.INTEL_TCB_SIGNER
    monkeypatch.setattr(vendors, "ROOTS", frozenset((hashlib.sha256(root).digest(),)))
    for roots, pins in (((software,), (pin,)), ((root, software), (pin,)), ((root,), (bytes(32),))):
        with pytest.raises(FormatError, match="of Intel or AMD"):
            NetworkFile.from_genesis(as_production(genesis, roots, pins), ENDPOINTS)
    good = NetworkFile.from_genesis(as_production(genesis, (root,), (pin,)), ENDPOINTS)
    good.verify_allowed(allow_development=False)
    table = _table(good)
    table["attestation"]["roots"].append("c29mdHdhcmU=")
    assert hashlib.sha256(software).hexdigest() in _refused(table).message


def test_a_genesis_without_a_usable_policy_makes_no_file(machine: Machine) -> None:
    """Bytes that are no genesis are refused as the sender's fault."""
    with pytest.raises(FormatError):
        NetworkFile.from_genesis(b"no genesis", ENDPOINTS)
    with pytest.raises(FormatError):
        NetworkFile.from_genesis(FakeLedger(machine.found()).genesis, ())


@given(data=st.binary(max_size=400))
def test_random_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    """No bytes make the parser raise anything but its own error."""
    with pytest.raises(NetworkFileError):
        NetworkFile.parse(data)


@given(at=st.integers(min_value=0), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_a_file_again(
    network: NetworkFile, at: int, byte: int
) -> None:
    """One changed byte gives another valid file or the one error."""
    data = bytearray(network.encode())
    data[at % len(data)] = byte
    try:
        parsed = NetworkFile.parse(bytes(data))
    except NetworkFileError:
        return
    assert NetworkFile.parse(parsed.encode()) == parsed


def test_policies_are_described_for_people(machine: Machine) -> None:
    """The words beside the policy name what it admits."""
    measurement = b"\xab" * 32
    genesis = FakeLedger(machine.found(core=Match(measurement=measurement))).genesis
    about = NetworkFile.from_genesis(genesis, ENDPOINTS).key_service.about
    assert about == f"measurement {measurement.hex()}"
