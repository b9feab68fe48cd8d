"""Releases in the words of the commands for people."""

from collections.abc import Iterable, Iterator

import click

from enclave_client.owner_releases import ProvenRelease
from enclave_client.release_file import PLATFORMS
from enclave_client.rows import ReleaseRow
from ledger.format.address import encode_address
from ledger.format.releases import EnclaveRelease, encode_release, release_digest, release_title
from node.cli.output import printable
from node.cli.words import Fields, plain, time_words

_Line = tuple[str, str]  # a label, and what is said


def digest_of(found: EnclaveRelease) -> str:
    """What an endorsement of a release names, in hex."""
    return release_digest(encode_release(found)).hex()


def release_fields(found: EnclaveRelease) -> Fields:
    """What a release says, and its digest."""
    return {
        "release": release_title(found.name, found.version),
        "digest": digest_of(found),
        "source_digest": found.source_digest.hex(),
        "notes": found.notes,
        "measurements": [
            f"{PLATFORMS[one.platform]} {one.measurement.hex()}" for one in found.measurements
        ],
        "auditors": list(map(encode_address, found.auditors)),
    }


def row_fields(row: ReleaseRow) -> Fields:
    """A release as the node tells of it."""
    return {
        **release_fields(row.release),
        "publisher": encode_address(row.publisher),
        "published_in_entry": row.index,
        "endorsed": [
            {"auditor": encode_address(one.auditor), "entry": one.index} for one in row.endorsed
        ],
        "withdrawn": [
            {"auditor": encode_address(one.auditor), "entry": one.index} for one in row.withdrawn
        ],
        "revoked_in_entry": row.revoked_index or None,
    }


def proven_fields(found: ProvenRelease) -> Fields:
    """The same with the times of the entries that prove it."""
    row = found.row
    return {
        **row_fields(row),
        "published": time_words(found.published.time_ms),
        "endorsed": [
            {
                "auditor": encode_address(said.auditor),
                "entry": said.index,
                "time": time_words(event.time_ms),
            }
            for said, event in zip(row.endorsed, found.endorsed, strict=True)
        ],
        "revoked": None if found.revoked is None else time_words(found.revoked.time_ms),
    }


def show_proven(found: ProvenRelease, *, err: bool = False) -> None:
    """The same for people: one fact on a line, and for each auditor what it did."""
    _show(_proven_lines(found), err=err)


def show_release_fields(found: EnclaveRelease, more: Fields) -> None:
    """A release that is published or may be, for people, in the same lines; `more` comes last."""
    lines = [("release", release_title(found.name, found.version)), *_lines(found)]
    lines += _listed("auditors", list(map(encode_address, found.auditors)))
    lines += [(name.replace("_", " "), str(value)) for name, value in plain(more).items()]
    _show(lines, err=False)


def _show(lines: Iterable[_Line], *, err: bool) -> None:
    shown = list(lines)
    width = max(len(label) for label, _ in shown)
    for label, words in shown:
        click.echo(printable(f"{label:<{width}}  {words}"), err=err)


def _lines(found: EnclaveRelease) -> Iterator[_Line]:
    """What a release says, without its title and auditors."""
    yield "notes", found.notes or "-"
    measured = [f"{PLATFORMS[one.platform]}  {one.measurement.hex()}" for one in found.measurements]
    yield from _listed("measures as", measured)
    yield "source digest", found.source_digest.hex()
    yield "digest", digest_of(found)


def _proven_lines(found: ProvenRelease) -> Iterator[_Line]:
    row, said = found.row, found.row.release
    yield "release", row.title
    yield "state", _state(found)
    yield "published", _place(found.published.time_ms, row.index)
    yield "publisher", encode_address(row.publisher)
    yield from _lines(said)
    did = dict(_statements(found))
    words = [
        f"{encode_address(one)}  {did.get(one, 'has not endorsed it')}" for one in said.auditors
    ]
    yield from _listed("auditors", words)


def _state(found: ProvenRelease) -> str:
    row = found.row
    endorsers = f"{len(row.endorsed)} of {len(row.release.auditors)} auditors"
    if found.revoked is None:
        return f"endorsed by {endorsers}"
    when = _place(found.revoked.time_ms, row.revoked_index)
    return f"REVOKED for everybody by its publisher, {when}; it was endorsed by {endorsers}"


def _statements(found: ProvenRelease) -> Iterator[tuple[bytes, str]]:
    """What each auditor said last, by its address."""
    for said, event in zip(found.row.endorsed, found.endorsed, strict=True):
        yield said.auditor, f"endorsed it, {_place(event.time_ms, said.index)}"
    for said in found.row.withdrawn:
        yield said.auditor, f"refuses it for ever, entry {said.index}"


def _place(time_ms: int, index: int) -> str:
    return f"{time_words(time_ms)}, entry {index}"


def _listed(label: str, lines: list[str]) -> Iterator[_Line]:
    for at, line in enumerate(lines or ["-"]):
        yield "" if at else label, line
