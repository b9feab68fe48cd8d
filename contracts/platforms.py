"""The votes of members that change the list of enrolled platforms.

1. A platform stands in the list or not. A member votes to enrol one that does not, or to remove
   one that does; when as many distinct members as the trust document asks for have voted, the list
   changes with that operation and the votes are used up.
2. A member takes back an own vote that is open. What changes nothing (a vote that was cast
   already, one for what is so already, one taken back that was never cast) leaves no entry alone.
   So that it is dead all the same, a vote names the change that its member saw last: when the list
   has changed for the platform since, the vote is one for what is not so any more.
3. Only the votes of those who are members now count. Each member has at most 64 votes open, so
   that no single one fills the state.
4. A change takes effect with the next operation: a session that a policy admitted for its enrolled
   platform is denied from its removal on.
Not here: the records (`enrolment`), and what founders enrolled (`genesis`).
"""

from dataclasses import replace

from ledger.format.outcome import Outcome, Votes
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.reason import Reason

from contracts.enrolment import PlatformRecord, find_platform, store_platform
from contracts.place import Place

MAX_OPEN_VOTES = 64  # of one member

_DENIED = Outcome(Reason.DENIED)
_WRONG_SIGNER = Outcome(Reason.WRONG_SIGNER)
_NO_CHANGE = Outcome(Reason.NO_CHANGE)
_QUOTA = Outcome(Reason.QUOTA_EXCEEDED)


def vote(operation: VotePlatform, place: Place) -> Outcome:
    """Count a member's vote, or take it back (1 to 3 above)."""
    if not place.account:
        return _WRONG_SIGNER
    if place.account not in place.parameters.members:
        return _DENIED
    record = find_platform(place.state, operation.platform_id)
    if operation.since != record.index:
        return _NO_CHANGE
    has_voted = place.account in record.voters
    if operation.vote is PlatformVote.TAKE_BACK:
        return _take_back(operation.platform_id, record, place) if has_voted else _NO_CHANGE
    if has_voted or record.is_enrolled == (operation.vote is PlatformVote.ENROL):
        return _NO_CHANGE
    return _cast(operation.platform_id, record, place)


def _cast(platform_id: bytes, record: PlatformRecord, place: Place) -> Outcome:
    voted = replace(record, voters=(*record.voters, place.account))
    votes = _count(voted, place)
    if votes.cast >= votes.needed:
        for voter in record.voters:
            place.hold(voter, votes=-1)
        voted = PlatformRecord(not record.is_enrolled, place.index)
    elif place.owner(place.account).votes >= MAX_OPEN_VOTES:
        return _QUOTA
    else:
        place.hold(place.account, votes=1)
    store_platform(place.state, platform_id, voted)
    return Outcome(Reason.OK, votes)


def _take_back(platform_id: bytes, record: PlatformRecord, place: Place) -> Outcome:
    place.hold(place.account, votes=-1)
    left = tuple(one for one in record.voters if one != place.account)
    record = replace(record, voters=left)
    store_platform(place.state, platform_id, record)
    return Outcome(Reason.OK, _count(record, place))


def _count(record: PlatformRecord, place: Place) -> Votes:
    members = place.parameters.members
    cast = sum(one in members for one in record.voters)
    return Votes(cast, place.parameters.member_threshold)
