"""A short text of a policy for the summary that a wallet shows.

The SHA-256 binds the policy; what stands in brackets behind it is for the eye: measurements and
signers in full, what deviates from the strict default, in the encoded order. It is cut at 600
characters. Any bytes have a text, also those that are no policy: a rule may refuse an operation
only after it has judged its signature. Not here: whether a policy is valid and whom it admits
(``attestation.policy``).
"""

import hashlib
import re

from google.protobuf.message import DecodeError
from sealedger.v1 import attestation_pb2 as pb

MAX_WORDS_CHARACTERS = 600
_MAX_DEPTH = 8
_WORD = re.compile(r"[A-Za-z0-9]{1,40}")
_CUT = "..."


def policy_text(policy: bytes) -> str:
    """``sha256:<hex>(<words>)``: ASCII without spaces, at most 680 characters; never raises.

    Two policies have the same text only if they have the same bytes.
    """
    message = pb.IdentityPolicy()
    try:
        message.ParseFromString(policy)
    except DecodeError:
        words = "unreadable"
    else:
        words = _node(message, 1)
    if len(words) > MAX_WORDS_CHARACTERS:
        words = words[:MAX_WORDS_CHARACTERS] + _CUT
    return f"sha256:{hashlib.sha256(policy).hexdigest()}({words})"


def _node(node: pb.IdentityPolicy, depth: int) -> str:
    kind = node.WhichOneof("node")
    if depth > _MAX_DEPTH:
        return _CUT
    if kind == "match":
        return _match(node.match)
    if kind is None:
        return "nobody"
    members = node.any.members if kind == "any" else node.all.members
    return f"{kind}:[{','.join(_node(member, depth + 1) for member in members)}]"


def _match(match: pb.IdentityMatch) -> str:
    parts = []
    if match.measurement:
        parts.append(f"measurement:{match.measurement.hex()}")
    if match.signer:
        parts.append(f"signer:{match.signer.hex()}")
        parts.append(f"product:{match.product_id}")
        parts.append(f"svn>={match.minimum_svn}")
    if list(match.tcb_statuses) != ["UpToDate"]:
        statuses = (one if _WORD.fullmatch(one) else "?" for one in match.tcb_statuses)
        parts.append(f"tcb:{'|'.join(statuses)}")
    if match.advisories:
        parts.append(f"advisories:{len(match.advisories)}")
    if match.allow_debug:
        parts.append("debug")
    if match.platform_ids:
        parts.append(f"platforms:{len(match.platform_ids)}")
    return "/".join(parts) or "nobody"
