"""What people are told about a policy file with a fault: the field, and what would be right."""

import pytest

from enclave_client.errors import PolicyFileError
from enclave_client.policy_file import decode_single_policy

CODE = f'measurement = "{"5f" * 32}"\n'


@pytest.mark.parametrize(
    "text, said",
    [
        ('measurement = "ab"', "64 hex digits for SGX, 96 for TDX and SEV-SNP"),
        (CODE + "minimum_svn = 1", "bad minimum_svn: 0 to 4294967295, and beside a signer only"),
        (CODE + 'tcb_statuses = ["uptodate"]', "SWHardeningNeeded, TDRelaunchAdvised"),
        (CODE + 'advisories = ["INTEL SA"]', "names such as INTEL-SA-00615"),
        (CODE + f'platform_ids = ["{"00" * 65}"]', "32 hex digits for Intel, 128 for AMD"),
        (CODE + 'sgx = {config_id = "00"}', "bad config_id: 128 hex digits"),
        (CODE + 'tdx = {xfam = {value = "01", mask = "01"}}', "value and mask in 16 hex digits"),
        ("any = []", "field any: needs at least 1"),
        (CODE + "sgn = 1", "field sgn: there is no such field"),
        (CODE + "snp = {}", "field snp.minimum_tcb: is missing"),
    ],
)
def test_the_words_for_a_fault(text: str, said: str) -> None:
    """The error says what would be right, in no words of the library that checks."""
    with pytest.raises(PolicyFileError) as raised:
        decode_single_policy(text.encode())
    assert said in raised.value.message
