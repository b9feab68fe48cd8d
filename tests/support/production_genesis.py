"""A genesis of the profile `single`, made of a development network's, with any roots."""

from dataclasses import replace

from ledger.format.genesis import Profile, decode_genesis, encode_genesis
from ledger.format.trust import Party, decode_trust, encode_trust


def as_production(genesis: bytes, roots: tuple[bytes, ...], pins: tuple[bytes, ...]) -> bytes:
    """The same network as a witnessed one that believes `roots` (DER) and `pins`."""
    decoded = decode_genesis(genesis)
    trust = replace(
        decode_trust(decoded.trust),
        origin="ledger.example/1",
        witnesses=(Party("witness.example", bytes(range(32)), "witness"),),
        witness_quorum=1,
        roots=roots,
        tcb_signer_pins=pins,
    )
    return encode_genesis(replace(decoded, profile=Profile.SINGLE, trust=encode_trust(trust)))
