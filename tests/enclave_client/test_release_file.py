"""Release files: what people write is what is signed, and every fault names its field."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave_client.errors import ReleaseFileError
from enclave_client.release_file import (
    MAX_FILE_BYTES,
    decode_release_file,
    encode_release_file,
    read_release_file,
)
from ledger.format.address import encode_address
from ledger.format.releases import (
    EnclaveRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    encode_release,
)
from tests.ledger_format.strategies import WIDEST_RELEASE, releases
from tests.support.mutation import mutations

SGX, TDX, SNP = "ab" * 32, "cd" * 48, "ef" * 48
AUDITORS = (bytes(20), b"\x11" * 20)
HEAD = f"""
name = "fns"
version = "1.2.0"
source_digest = "{SGX}"
auditors = ["{encode_address(AUDITORS[1])}", "{encode_address(AUDITORS[0])}"]
"""
WHOLE = f"""{HEAD}
notes = "faster"
[measurements]
sgx = ["{SGX}", "{"00" * 32}"]
tdx = ["{TDX}"]
snp = ["{SNP}"]
"""


def test_a_whole_file(tmp_path: Path) -> None:
    """Every field arrives; lists may come in any order."""
    path = tmp_path / "release.toml"
    path.write_text(WHOLE)
    assert read_release_file(path) == EnclaveRelease(
        name="fns",
        version=ReleaseVersion(1, 2, 0),
        measurements=(
            ReleaseMeasurement(1, bytes(32)),
            ReleaseMeasurement(1, bytes.fromhex(SGX)),
            ReleaseMeasurement(2, bytes.fromhex(TDX)),
            ReleaseMeasurement(3, bytes.fromhex(SNP)),
        ),
        source_digest=bytes.fromhex(SGX),
        notes="faster",
        auditors=AUDITORS,
    )


def test_measured_elsewhere() -> None:
    """Measurements from beside the file come in; the same one twice is one."""
    measured = (ReleaseMeasurement(1, bytes(32)), ReleaseMeasurement(1, bytes.fromhex(SGX)))
    alone = decode_release_file(HEAD.encode(), measured=measured)
    assert (alone.measurements, alone.notes) == (measured, "")
    assert len(decode_release_file(WHOLE.encode(), measured=measured).measurements) == 4


@given(releases)
@settings(max_examples=50)
def test_comes_back(release: EnclaveRelease) -> None:
    """What is written again is the same release."""
    assert decode_release_file(encode_release_file(release)) == release


def test_the_widest_comes_back() -> None:
    """The largest release fits into a file."""
    data = encode_release_file(WIDEST_RELEASE)
    assert len(data) < MAX_FILE_BYTES
    assert encode_release(decode_release_file(data)) == encode_release(WIDEST_RELEASE)


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "field name: is missing"),
        (WHOLE.replace('"fns"', '"../fns"'), "field name: a name is"),
        (WHOLE.replace('"fns"', f'"{"f" * 65}"'), "field name: a name is"),
        (WHOLE.replace('"1.2.0"', '"1.2"'), "field version: a version is three numbers"),
        (WHOLE.replace('"1.2.0"', '"v1.2.0"'), "field version: a version is three numbers"),
        (WHOLE.replace('"1.2.0"', "1.2"), "field version: must be text"),
        (WHOLE.replace(f'source_digest = "{SGX}"', 'source_digest = "ab"'), "field source_digest"),
        (WHOLE.replace('"faster"', f'"{"x" * 513}"'), "field notes"),
        (WHOLE.replace('"faster"', '"\\n"'), "notes are at most 512 printable"),
        (WHOLE.replace("tdx", "tdz"), "field measurements.tdz: there is no such field"),
        (WHOLE.replace(TDX, SGX), "field measurements.tdx[0]"),
        (WHOLE.replace("00" * 32, SGX), "field measurements.sgx: says the same twice"),
        (HEAD, "1 to 16 measurements"),
        (HEAD + "[measurements]\n", "1 to 16 measurements"),
        (WHOLE.replace("auditors = [", "auditors = []\nx = ["), "field auditors"),
        (WHOLE.replace("0x1111", "0x111"), "field auditors[0]: an address is 0x"),
        (WHOLE + "more = 1\n", "field measurements.more: there is no such field"),
        ("name = ", "not TOML"),
        ("x" * (MAX_FILE_BYTES + 1), "over 65536 bytes"),
    ],
)
def test_faults(text: str, said: str) -> None:
    """A file that cannot be meant says which field is wrong, and where one is shown."""
    with pytest.raises(ReleaseFileError) as caught:
        decode_release_file(text.encode(), "release.toml")
    assert caught.value.message.startswith("release file release.toml: ")
    assert said in caught.value.message
    assert "docs/releases.md" in caught.value.hint


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is said to be so."""
    with pytest.raises(ReleaseFileError, match="No such file"):
        read_release_file(tmp_path / "none.toml")


@given(st.one_of(st.binary(max_size=300), mutations(WHOLE.encode())))
def test_any_bytes(data: bytes) -> None:
    """Random and changed bytes are a release or a ReleaseFileError."""
    try:
        decode_release_file(data)
    except ReleaseFileError:
        return
