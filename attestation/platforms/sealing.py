"""What is said where a platform has no sealing key: what that means, and what has to come instead.

One text for all of them, because operators find it in their guide by its beginning.
"""

from attestation.errors import NoSealingKeyError


def no_sealing_key(platform: str) -> NoSealingKeyError:
    """The error of a platform that gives none."""
    return NoSealingKeyError(
        f"the platform {platform} gives no sealing key: the epoch secret has to come from a peer "
        "or from members' shares, which this version cannot fetch yet, so a node here would lose "
        "every secret when it restarts"
    )
