"""Releases in the words of the commands for people."""

import click

from enclave_client.owner_releases import ProvenRelease
from enclave_client.release_file import PLATFORMS
from enclave_client.rows import ReleaseRow
from ledger.format.address import encode_address
from ledger.format.releases import EnclaveRelease, encode_release, release_digest, release_title
from node.cli.words import Fields, time_words


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


def show_lines(fields: Fields, *, err: bool = True) -> None:
    """For people: one line for each field, and one for each member of a list."""
    width = max(map(len, fields))
    for name, value in fields.items():
        lines = list(map(_words, value)) if isinstance(value, list) else [_words(value)]
        for at, line in enumerate(lines or ["-"]):
            label = "" if at else name.replace("_", " ")
            click.echo(f"{label:<{width}}  {line}".rstrip(), err=err)


def _words(value: object) -> str:
    if isinstance(value, dict):
        when = f" at {value['time']}" if "time" in value else ""
        return f"{value['auditor']} in entry {value['entry']}{when}"
    return "-" if value in (None, "") else str(value)
