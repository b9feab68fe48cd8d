"""Answers to signed questions as JSON: nothing that gRPC says is left out."""

from base64 import b64decode

from contracts.enrolment import PlatformRecord
from contracts.queries import PlatformPage
from ledger.format.releases import PublishRelease, encode_release
from node.http.ask_views import AnswerView, answer_view
from node.question_answers import platforms, releases
from sealedger.v1 import node_pb2 as pb
from tests.support.small_releases import (
    AUDITORS,
    account,
    auditor,
    endorsing,
    record,
    release_of,
    revoking,
)
from tests.support.small_rules import SmallRules


def test_every_field_of_an_answer_is_there() -> None:
    """A field that QueryReply gets is one of the JSON body too; a refusal has a body of its own."""
    told = {field.name for field in pb.QueryReply.DESCRIPTOR.fields} - {"refusal"}
    assert set(AnswerView.model_fields) == told


def test_a_list_of_releases() -> None:
    """Each release comes with who said what of it, and the list says where to go on."""
    rules, released = SmallRules(), release_of()
    publisher = account("publisher")
    rules.outcomes(publisher, PublishRelease(released))
    rules.outcomes(auditor(0), endorsing(released))
    rules.outcomes(auditor(1), revoking(released))
    held = record(rules, released)
    view = answer_view(releases([held], next_after="fns@1.2.0"))
    (row,) = view.releases
    assert b64decode(row.release) == encode_release(released)
    assert (row.publisher, row.index) == (publisher.name.hex(), held.index)
    assert row.revoked_index == 0
    assert [one.auditor for one in row.endorsed] == [AUDITORS[0].hex()]
    assert [one.auditor for one in row.withdrawn] == [AUDITORS[1].hex()]
    assert (view.more, view.next_after) == (True, "fns@1.2.0")


def test_a_list_of_platforms() -> None:
    """Each platform comes with whether it is enrolled, since when, and who asks for a change."""
    ppid, chip_id = b"\x01" * 16, b"\x02" * 64
    enrolled = PlatformRecord(is_enrolled=True, index=7, voters=(AUDITORS[1], AUDITORS[0]))
    asked_for = PlatformRecord(voters=(AUDITORS[2],))
    view = answer_view(
        platforms(PlatformPage(((ppid, enrolled), (chip_id, asked_for)), 3, more=True))
    )
    one, other = view.platforms
    assert (one.platform_id, one.enrolled, one.index) == (ppid.hex(), True, 7)
    assert one.voters == (AUDITORS[1].hex(), AUDITORS[0].hex())
    assert (other.platform_id, other.enrolled, other.index) == (chip_id.hex(), False, 0)
    assert other.voters == (AUDITORS[2].hex(),)
    assert (one.needed, other.needed) == (3, 3)
    assert view.more
