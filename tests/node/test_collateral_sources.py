"""Where new collateral comes from: the software platform signs anew."""

from functools import partial
from pathlib import Path

import pytest

from attestation.platforms.software import create_platform, read_trust
from attestation.verify import read_facts
from node.collateral_sources import signed_anew

NOW_S = 1_800_000_000
DAY_S = 86_400


@pytest.mark.parametrize("tee", ["sgx", "tdx", "snp"])
def test_signing_anew_says_nothing_new(tmp_path: Path, tee: str) -> None:
    """Levels keep their date, so that the newer edition of a software platform ends no session."""
    create_platform(tmp_path / "platform", NOW_S, tee=tee)
    before = read_facts(read_trust(tmp_path / "platform").collateral)
    for days in (1, 2):
        clock_s = partial(int, NOW_S + days * DAY_S)
        after = read_facts(signed_anew(tmp_path / "platform", clock_s))
        assert after.valid_from_s == before.valid_from_s + days * DAY_S
        assert after.substance == before.substance
