"""What auditors are shown of collateral that came into force, of sessions ended, of votes."""

from hashlib import sha256

import pytest

from attestation.collateral import CollateralFacts
from attestation.collateral_verdict import CollateralVerdict, encode_collateral_verdict
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.outcome import CollateralUpdated, Outcome, Votes
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.releases import EndorseRelease, ReleaseVersion, RevokeRelease
from ledger.format.terms import FreezeCollection
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from node.audit.people import Signed
from node.audit.rows import line_of, row_of
from tests.audit.test_people import event_of, opened_session
from tests.support.audited_log import AuditedLog
from tests.support.log_signers import cosigner
from tests.support.small_log import Signer
from tests.support.small_rules import account

KEY = "tdx/00906ed50000/platform"
DIGEST = sha256(b"collateral").digest()
VERSION = ReleaseVersion(1, 2, 0)
SESSION = sha256(b"session").digest()
VERDICT = encode_collateral_verdict(
    CollateralVerdict(
        facts=CollateralFacts(
            key=KEY,
            order=((17, 1_800_000_000),),
            lowest_number=17,
            highest_number=17,
            valid_from_s=1_800_000_000,
            valid_until_s=1_800_000_001,
            substance=bytes(32),
        ),
        digest=DIGEST,
        verified_at_s=1_800_000_000,
    )
)


@pytest.mark.parametrize("verdict, name", [(VERDICT, KEY), (b"nothing of ours", None)])
def test_an_update_names_what_it_is_for(verdict: bytes, name: str | None) -> None:
    """The row's name is the key in the verdict; one that does not decode names nothing."""
    core = cosigner("core.example")
    signer = Signer(SignerKind.NODE, core.key.public_key, core.signing.sign)
    step = UpdateCollateral(DIGEST), Outcome(Reason.OK, CollateralUpdated(verdict))
    row = row_of(event_of(AuditedLog().log.transact(signer, step)), None, Signed.VERIFIED)
    assert (row["operation"], row["name"], row["outcome"]) == ("UpdateCollateral", name, "OK")
    assert f"node {core.key.public_key.hex()}" in line_of(row)


@pytest.mark.parametrize(
    "collection, detail, version, said",
    [
        ("team/own", None, None, "team/own " + SESSION.hex() + ": OK"),
        ("", Votes(1, 2), "1 of 2 votes", "RevokeSession " + SESSION.hex() + ", 1 of 2 votes: OK"),
    ],
)
def test_the_end_of_a_session_names_it(
    collection: str, detail: Votes | None, version: str | None, said: str
) -> None:
    """Who asks which sessions were ended finds their ids, and how many voted so."""
    member = account("member").name
    step = RevokeSession(SESSION, collection), Outcome(Reason.OK, detail)
    signer = Signer(SignerKind.ACCOUNT, member, lambda _: bytes(65))
    row = row_of(event_of(AuditedLog().log.transact(signer, step)), None, Signed.UNKNOWN)
    assert (row["name"], row["version"]) == (SESSION.hex(), version)
    assert row["collection"] == (collection or None)
    assert (row["asked"], said in line_of(row)) == (None, True)


@pytest.mark.parametrize("frozen, asked", [(True, "freeze"), (False, "unfreeze")])
def test_a_stop_is_told_from_its_end(frozen: bool, asked: str) -> None:
    """Whether a collection was frozen or let go on."""
    step = FreezeCollection("team/keys", frozen), Outcome(Reason.OK)
    signer = Signer(SignerKind.ACCOUNT, account("owner").name, lambda _: bytes(65))
    row = row_of(event_of(AuditedLog().log.transact(signer, step)), None, Signed.UNKNOWN)
    assert (row["operation"], row["asked"], row["name"]) == ("FreezeCollection", asked, None)
    assert f"FreezeCollection {asked} team/keys: OK" in line_of(row)


def test_kinds_of_signers_are_words() -> None:
    """The sentence has no underscore where the field has one."""
    _, opening = opened_session(AuditedLog())
    row = row_of(opening, None, Signed.VERIFIED)
    assert row["signer_kind"] == "new_session"
    assert f"by new session {row['signer']}" in line_of(row)


def test_a_vote_on_a_platform_names_it() -> None:
    """Which machine, what was asked of it, and how many asked so."""
    step = VotePlatform(b"\x11" * 16, PlatformVote.TAKE_BACK), Outcome(Reason.OK, Votes(0, 2))
    signer = Signer(SignerKind.ACCOUNT, account("member").name, lambda _: bytes(65))
    row = row_of(event_of(AuditedLog().log.transact(signer, step)), None, Signed.UNKNOWN)
    assert (row["operation"], row["name"]) == ("VotePlatform", "11" * 16)
    assert (row["asked"], row["asked_version"]) == ("take-back", None)
    assert row["version"] == "0 of 2 votes"
    assert f"VotePlatform take-back {'11' * 16}, 0 of 2 votes: OK" in line_of(row)


@pytest.mark.parametrize(
    "operation", [EndorseRelease("fns", VERSION, DIGEST), RevokeRelease("fns", VERSION)]
)
def test_the_word_of_an_auditor_names_the_release(
    operation: EndorseRelease | RevokeRelease,
) -> None:
    """Which version it is about, and how many auditors endorse it from then on."""
    step = operation, Outcome(Reason.OK, Votes(2, 0))
    signer = Signer(SignerKind.ACCOUNT, account("auditor").name, lambda _: bytes(65))
    row = row_of(event_of(AuditedLog().log.transact(signer, step)), None, Signed.UNKNOWN)
    assert (row["name"], row["asked_version"], row["version"]) == ("fns", "1.2.0", "endorsed by 2")
    assert f"{row['operation']} fns@1.2.0, endorsed by 2: OK" in line_of(row)
