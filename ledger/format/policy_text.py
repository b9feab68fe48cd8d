"""A short text of a policy for the summary that a wallet shows.

The SHA-256 binds the policy; what stands in brackets behind it is for the eye, in the encoded
order: what names an enclave in full, then what is laxer than the strict default, then what is
narrower. It is cut at 2,000 characters. Any bytes have a text, also those that are no policy: a
rule may refuse an operation only after it has judged its signature. Not here: whether a policy is
valid and whom it admits (``attestation.policy``).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError, Message
from sealedger.v1 import attestation_pb2 as pb

from ledger.format.address import encode_address
from ledger.format.releases import is_release_name
from ledger.format.terms import ADDRESS_BYTES

MAX_WORDS_CHARACTERS = 2000
_MAX_DEPTH = 8
_WORD = re.compile(r"[A-Za-z0-9]{1,40}")
_CUT = "..."
_STRANGE = "?"
_SGX = ("config_id", "ext_product_id", "family_id")
_TDX = (
    *("rtmr0", "rtmr1", "rtmr2", "rtmr3"),
    *("mr_config_id", "mr_owner", "mr_owner_config"),
)
_SNP = ("host_data", "family_id", "image_id", "author_key_digest")


def policy_text(policy: bytes) -> str:
    """``sha256:<hex>(<words>)``: ASCII without spaces, at most 2,080 characters; never raises.

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
    parts = [*_named(match), *_laxer(match), *_narrower(match)]
    return "/".join(parts) or "nobody"


def _named(match: pb.IdentityMatch) -> Iterator[str]:
    if match.measurement:
        yield f"measurement:{match.measurement.hex()}"
    if match.signer:
        yield f"signer:{match.signer.hex()}"
        yield f"product:{match.product_id}"
        yield f"svn>={match.minimum_svn}"
    if match.HasField("release"):
        release, least = match.release, match.release.minimum
        name = release.name if is_release_name(release.name) else _STRANGE
        yield f"release:{name}>={least.major}.{least.minor}.{least.patch}"
        yield f"endorsed:{release.threshold}-of:{'|'.join(map(_address, release.auditors))}"
    if match.tdx.mr_td:
        yield f"tdx.mr_td:{match.tdx.mr_td.hex()}"


def _laxer(match: pb.IdentityMatch) -> Iterator[str]:
    if list(match.tcb_statuses) != ["UpToDate"]:
        yield f"tcb:{_words(match.tcb_statuses)}"
    if match.grace_s:
        yield f"grace_s:{match.grace_s}"
    if match.advisories:
        yield f"advisories:{len(match.advisories)}"
    if match.allow_debug:
        yield "debug"
    snp = match.snp
    if snp.HasField("minimum_tcb"):
        yield f"snp.tcb>={_tcb(snp.minimum_tcb)}"
    if snp.maximum_vmpl:
        yield f"snp.vmpl<={snp.maximum_vmpl}"
    if snp.allow_migration:
        yield "snp.migration"
    if snp.allow_vlek:
        yield "snp.vlek"


def _narrower(match: pb.IdentityMatch) -> Iterator[str]:
    if match.platform_ids:
        yield f"platforms:{len(match.platform_ids)}"
    if match.enrolled:
        yield "enrolled"
    sgx, tdx, snp = match.sgx, match.tdx, match.snp
    yield from _digests("sgx", sgx, _SGX)
    if sgx.minimum_config_svn:
        yield f"sgx.config_svn>={sgx.minimum_config_svn}"
    yield from _masked("sgx.attributes", sgx.attributes, sgx.attributes_mask)
    yield from _digests("tdx", tdx, _TDX)
    yield from _masked("tdx.attributes", tdx.attributes, tdx.attributes_mask)
    yield from _masked("tdx.xfam", tdx.xfam, tdx.xfam_mask)
    yield from _digests("snp", snp, _SNP)
    if snp.HasField("minimum_launch_tcb"):
        yield f"snp.launch_tcb>={_tcb(snp.minimum_launch_tcb)}"
    if snp.products:
        yield f"snp.products:{_words(snp.products)}"
    if snp.require_single_thread:
        yield "snp.single_thread"


def _digests(prefix: str, message: Message, fields: tuple[str, ...]) -> Iterator[str]:
    for field in fields:
        value: bytes = getattr(message, field)
        if value:
            yield f"{prefix}.{field}:{value.hex()}"


def _masked(field: str, value: bytes, mask: bytes) -> Iterator[str]:
    if value or mask:
        yield f"{field}&{mask.hex()}={value.hex()}"


def _words(words: Iterable[str]) -> str:
    return "|".join(one if _WORD.fullmatch(one) else _STRANGE for one in words)


def _address(address: bytes) -> str:
    return encode_address(address) if len(address) == ADDRESS_BYTES else _STRANGE


def _tcb(tcb: pb.SnpTcb) -> str:
    parts = (tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode, tcb.fmc)
    return ".".join(map(str, parts))
