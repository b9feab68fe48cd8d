"""What stands around sessions, written a second time as plainly as possible: see `rules_model`.

Collateral is a number that grows and a second at which it ends; members are names; releases of one
program are a dict. Nothing of the rules is used here.
"""

from copy import deepcopy
from dataclasses import dataclass, field

from ledger.format.hygiene import RevokeSession
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.releases import EndorseRelease, PublishRelease, ReleaseVersion, RevokeRelease

Answer = tuple[object, ...]
OfReleases = PublishRelease | EndorseRelease | RevokeRelease


@dataclass
class Release:
    """One version: who published it, who endorses it, who never will again."""

    publisher: str
    is_revoked: bool = False
    endorsers: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)


@dataclass
class Said:
    """All that accounts said about sessions and releases; an atomic failure takes it back."""

    votes: dict[bytes, set[str]] = field(default_factory=dict)
    gone: set[bytes] = field(default_factory=set)  # sessions that members revoked
    parted: set[tuple[str, bytes]] = field(default_factory=set)  # collection, revoked session
    releases: dict[ReleaseVersion, Release] = field(default_factory=dict)
    enrolled: set[bytes] = field(default_factory=set)  # platforms
    wishes: dict[bytes, set[str]] = field(default_factory=dict)  # platform: who asks for a change
    changes: dict[bytes, int] = field(default_factory=dict)  # platform: the entry of the last one


@dataclass
class Hygiene:
    """Members, auditors of releases, collateral, and what was said."""

    members: frozenset[str]
    needed: int
    auditors: frozenset[str]
    minimum: ReleaseVersion  # from which version on a policy takes an endorsed release
    machine: bytes  # the platform that a policy takes while it is enrolled
    generation: int = 1
    ends_s: int = 2**60
    known: set[bytes] = field(default_factory=set)  # sessions that ever opened
    said: Said = field(default_factory=Said)

    def has_ended(self, time_ms: int) -> bool:
        """Whether nobody can be judged any more."""
        return time_ms // 1000 > self.ends_s

    def is_released(self) -> bool:
        """Whether there is a release that policies take, by one auditor's word."""
        return any(
            version >= self.minimum and one.endorsers and not one.is_revoked
            for version, one in self.said.releases.items()
        )

    def has_published(self, who: str) -> bool:
        """Whether an account ever published."""
        return any(one.publisher == who for one in self.said.releases.values())

    def saved(self) -> Said:
        """A copy, to go back to."""
        return deepcopy(self.said)

    def revoke_session(self, who: str, step: RevokeSession, owner: str | None) -> Answer:
        """An account revokes; `owner` is the collection's, None if there is no such collection."""
        if step.collection and owner is None:
            return ("UNKNOWN_COLLECTION",)
        if who != owner if step.collection else who not in self.members:
            return ("DENIED",)
        if step.session_id not in self.known:
            return ("UNKNOWN_SESSION",)
        if step.collection:
            self.said.parted.add((step.collection, step.session_id))
            return ("OK",)
        votes = self.said.votes.setdefault(step.session_id, set())
        votes.add(who)
        if len(votes) >= self.needed:
            self.said.gone.add(step.session_id)
        return ("OK", "votes", len(votes), self.needed)

    def is_enrolled(self) -> bool:
        """Whether the platform that policies ask for is enrolled."""
        return self.machine in self.said.enrolled

    def on_platform(self, who: str, step: VotePlatform, entry: int) -> Answer:
        """An account votes on a platform."""
        if who not in self.members:
            return ("DENIED",)
        if step.since != self.said.changes.get(step.platform_id, 0):
            return ("NO_CHANGE",)
        wishes = self.said.wishes.setdefault(step.platform_id, set())
        is_in = step.platform_id in self.said.enrolled
        wanted = PlatformVote.REMOVE if is_in else PlatformVote.ENROL
        if step.vote is PlatformVote.TAKE_BACK:
            if who not in wishes:
                return ("NO_CHANGE",)
            wishes.remove(who)
            return ("OK", "votes", len(wishes), self.needed)
        if who in wishes or step.vote is not wanted:
            return ("NO_CHANGE",)
        wishes.add(who)
        cast = len(wishes)
        if cast >= self.needed:
            wishes.clear()
            self.said.enrolled ^= {step.platform_id}
            self.said.changes[step.platform_id] = entry
        return ("OK", "votes", cast, self.needed)

    def on_release(self, who: str, step: OfReleases) -> Answer:
        """An account publishes, endorses or revokes."""
        releases = self.said.releases
        if isinstance(step, PublishRelease):
            if any(one.publisher != who for one in releases.values()):
                return ("DENIED",)
            if step.release.version in releases:
                return ("RELEASE_EXISTS",)
            releases[step.release.version] = Release(who)
            return ("OK",)
        one = releases.get(step.version)
        if one is None:
            return ("UNKNOWN_RELEASE",)
        is_publisher = who == one.publisher and isinstance(step, RevokeRelease)
        if not is_publisher and who not in self.auditors:
            return ("DENIED",)
        if one.is_revoked or (who in one.withdrawn and not is_publisher):
            return ("RELEASE_REVOKED",)
        if is_publisher:
            one.is_revoked = True
            return ("OK",)
        if isinstance(step, EndorseRelease):
            one.endorsers.add(who)
        else:
            one.endorsers.discard(who)
            one.withdrawn.add(who)
        return ("OK", "votes", len(one.endorsers), 0)
