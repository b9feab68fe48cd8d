"""What the options of ``sealedger node init`` mean.

Rules: what cannot be is refused here, before anything is opened or made. The options themselves are
`founding_options`, founding is `node.first_home`.
"""

from pathlib import Path
from typing import Any

from attestation.errors import PlatformError
from attestation.platforms.detect import SOFTWARE
from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_files import SGX
from attestation.platforms.software_manifest import read_manifest
from attestation.policy import AnyOf, Match, encode_policy
from enclave_client.durations import encode_duration
from enclave_client.policy_file import read_policy_file
from ledger.errors import FormatError
from ledger.format.address import decode_address
from ledger.format.genesis import Collection
from ledger.format.names import is_name
from ledger.format.terms import MAX_AUDITORS
from ledger.format.trust import MAX_GRACE_S, MAX_MEMBERS
from node.cli.founding_options import DEVELOPMENT, MISSING
from node.errors import ConfigError
from node.first_home import FirstHome, PlatformChoice
from node.founding import Governance
from node.founding_core import Accepted
from node.founding_trust import CollateralLimits

_MAX_NUMBER = 2**32 - 1  # what the trust document can name


def first_home(home: Path, chosen: dict[str, Any]) -> FirstHome:
    """What the options say; ConfigError, PolicyFileError or PlatformError for what cannot be."""
    _verify_profile(chosen["profile"])
    tee = chosen["tee"]
    if chosen["platform"] != SOFTWARE and (tee is not None or chosen["apps"]):
        option = "--app" if tee is None else "--tee"
        raise ConfigError(
            f"{option} is for the software platform, not for {chosen['platform']}",
            "name an app on hardware by what its evidence says: --policy COLLECTION=FILE",
        )
    return FirstHome(
        home=home,
        name=_named("--name", chosen["name"]),
        collections=_collections(chosen["apps"], chosen["policies"], tee or SGX),
        listen=chosen["listen"],
        http_listen=chosen["http_listen"],
        lock=chosen["lock"],
        endpoint=chosen["endpoint"],
        platform=PlatformChoice(
            kind=chosen["platform"],
            tee=tee or SGX,
            collateral=chosen["collateral"],
            roots=chosen["roots"],
            accepted=Accepted(chosen["statuses"], chosen["advisories"]),
            limits=_limits(chosen["grace_ms"] or 0, chosen["floor"], chosen["ceiling"]),
        ),
        governance=_governance(chosen),
    )


def _verify_profile(profile: str) -> None:
    if profile != DEVELOPMENT:
        raise ConfigError(
            f"a network of the profile {profile} needs {MISSING[profile]}, and this version "
            "cannot have that yet: it comes with the work on networks of several nodes",
            "found a development network; its clients say that they want one",
        )


def _limits(grace_ms: int, floor: int, ceiling: int) -> CollateralLimits:
    grace = f"--grace {encode_duration(grace_ms)}"
    if grace_ms % 1000:
        raise ConfigError(f"{grace}: no whole number of seconds", "such as 90s, 12h or 7d")
    if grace_ms > MAX_GRACE_S * 1000:
        raise ConfigError(
            f"{grace}: at most {encode_duration(MAX_GRACE_S * 1000)}",
            "whoever is judged by older collateral is hardly judged: bring newer in time, "
            "sealedger collateral update",
        )
    for option, number in (("--tcb-floor", floor), ("--tcb-ceiling", ceiling)):
        if number > _MAX_NUMBER:
            raise ConfigError(f"{option} {number}: at most {_MAX_NUMBER}", "real ones are small")
    if 0 < ceiling < floor:
        raise ConfigError(
            f"--tcb-ceiling {ceiling} is under --tcb-floor {floor}: no collateral would do",
            "leave the ceiling out for none",
        )
    return CollateralLimits(grace_ms // 1000, floor, ceiling)


def _governance(chosen: dict[str, Any]) -> Governance:
    members, threshold = chosen["members"], chosen["threshold"]
    if bool(members) != (threshold is not None):
        raise ConfigError(
            "--member and --member-threshold belong together",
            "say who the members are, and how many of them decide",
        )
    if threshold is not None and threshold > len(members):
        count = "is 1 member" if len(members) == 1 else f"are {len(members)} members"
        raise ConfigError(
            f"--member-threshold {threshold}: there {count}",
            "it is at most the number of members",
        )
    return Governance(
        members=_addresses("--member", members, MAX_MEMBERS),
        threshold=threshold or 0,
        auditors=_addresses("--auditor", chosen["auditors"], MAX_AUDITORS),
        platforms=chosen["platforms"],
    )


def _addresses(option: str, given: tuple[str, ...], limit: int) -> tuple[bytes, ...]:
    found: set[bytes] = set()
    for text in given:
        try:
            address = decode_address(text)
        except FormatError as error:
            hint = "as sealedger account show prints it"
            raise ConfigError(f"{option} {text}: {error}", hint) from error
        if address in found:
            raise ConfigError(f"{option} {text} is said twice", "leave one out")
        found.add(address)
    if len(found) > limit:
        raise ConfigError(f"{option}: {len(found)} of them", f"at most {limit}")
    return tuple(sorted(found))


def _collections(
    apps: tuple[str, ...], policies: tuple[str, ...], tee: str
) -> tuple[Collection, ...]:
    found: dict[str, Collection] = {}
    for name, matches in _admitted(apps, tee).items():
        policy = encode_policy(AnyOf(tuple(matches)))
        found[name] = Collection(name, policy, policy)
    for given in policies:
        name, file = _pair("--policy", given, "FILE")
        if name in found:
            raise ConfigError(f"--policy {given}: {name} is said already", "leave one out")
        terms = read_policy_file(Path(file))
        if terms.auditors or terms.ttl_ms:
            raise ConfigError(
                f"{file}: a collection of genesis has readers and writers only",
                "for auditors and a time to live, create it later: sealedger collection create",
            )
        found[name] = Collection(name, terms.readers, terms.writers)
    return tuple(found.values())


def _admitted(apps: tuple[str, ...], tee: str) -> dict[str, list[Match]]:
    admitted: dict[str, list[Match]] = {}
    option = "--app"
    for app in apps:
        name, manifest = _pair(option, app, "MANIFEST")
        try:
            match = enclave_of(read_manifest(Path(manifest)), tee).by_code
        except PlatformError as error:
            hint = "the manifest of an app: docs/app-developer.md has an example"
            raise ConfigError(f"{option} {app}: {error}", hint) from error
        matches = admitted.setdefault(name, [])
        if match not in matches:
            matches.append(match)
    return admitted


def _pair(option: str, given: str, what: str) -> tuple[str, str]:
    name, equals, file = given.partition("=")
    if not equals:
        hint = f"a collection's name before the file's: {option} app/secrets=FILE"
        raise ConfigError(f"{option} {given}: expected COLLECTION={what}", hint)
    return _named(f"{option} {given}", name), file


def _named(option: str, name: str) -> str:
    if not is_name(name):
        hint = "1 to 200 characters of A-Z a-z 0-9 . _ / - in segments"
        raise ConfigError(f"{option}: {name!r} is no name", hint)
    return name
