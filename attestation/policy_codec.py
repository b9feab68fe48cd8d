"""The messages of a match's conditions. Nothing is checked but presence: `conditions` checks."""

from attestation.conditions import ReleaseMatch, SgxMatch, SnpMatch, TdxMatch, TeeMatch
from attestation.errors import DecodeError
from attestation.fields import tcb_message, tcb_of_message
from attestation.releases import version_message, version_of_message
from sealedger.v1 import attestation_pb2 as pb


def tee_match_message(match: TeeMatch) -> tuple[str, pb.SgxMatch | pb.TdxMatch | pb.SnpMatch]:
    """The field of IdentityMatch that holds the condition, and its message."""
    if isinstance(match, SgxMatch):
        return "sgx", pb.SgxMatch(
            config_id=match.config_id,
            minimum_config_svn=match.minimum_config_svn,
            ext_product_id=match.ext_product_id,
            family_id=match.family_id,
            attributes=match.attributes,
            attributes_mask=match.attributes_mask,
        )
    if isinstance(match, TdxMatch):
        return "tdx", pb.TdxMatch(
            mr_td=match.mr_td,
            rtmr0=match.rtmr0,
            rtmr1=match.rtmr1,
            rtmr2=match.rtmr2,
            rtmr3=match.rtmr3,
            mr_config_id=match.mr_config_id,
            mr_owner=match.mr_owner,
            mr_owner_config=match.mr_owner_config,
            attributes=match.attributes,
            attributes_mask=match.attributes_mask,
            xfam=match.xfam,
            xfam_mask=match.xfam_mask,
        )
    launch = match.minimum_launch_tcb
    return "snp", pb.SnpMatch(
        host_data=match.host_data,
        family_id=match.family_id,
        image_id=match.image_id,
        author_key_digest=match.author_key_digest,
        minimum_tcb=tcb_message(match.minimum_tcb),
        minimum_launch_tcb=None if launch is None else tcb_message(launch),
        maximum_vmpl=match.maximum_vmpl,
        products=match.products,
        allow_migration=match.allow_migration,
        allow_vlek=match.allow_vlek,
        require_single_thread=match.require_single_thread,
    )


def tee_match_of_message(message: pb.IdentityMatch) -> TeeMatch | None:
    """The condition on one TEE, if there is one; DecodeError for more than one."""
    kinds = [word for word in ("sgx", "tdx", "snp") if message.HasField(word)]
    if len(kinds) > 1:
        raise DecodeError("policy: a match with conditions on more than one kind of TEE")
    match kinds:
        case ["sgx"]:
            return _sgx(message.sgx)
        case ["tdx"]:
            return _tdx(message.tdx)
        case ["snp"]:
            return _snp(message.snp)
        case _:
            return None


def release_match_message(match: ReleaseMatch) -> pb.ReleaseMatch:
    """The message of a condition on releases."""
    return pb.ReleaseMatch(
        name=match.name,
        minimum=version_message(match.minimum),
        auditors=match.auditors,
        threshold=match.threshold,
    )


def release_match_of_message(message: pb.ReleaseMatch) -> ReleaseMatch:
    """The condition of a message; DecodeError without a version."""
    if not message.HasField("minimum"):
        raise DecodeError("policy: a release without a minimum version")
    return ReleaseMatch(
        name=message.name,
        minimum=version_of_message(message.minimum),
        auditors=tuple(message.auditors),
        threshold=message.threshold,
    )


def _sgx(message: pb.SgxMatch) -> SgxMatch:
    return SgxMatch(
        config_id=message.config_id,
        minimum_config_svn=message.minimum_config_svn,
        ext_product_id=message.ext_product_id,
        family_id=message.family_id,
        attributes=message.attributes,
        attributes_mask=message.attributes_mask,
    )


def _tdx(message: pb.TdxMatch) -> TdxMatch:
    return TdxMatch(
        mr_td=message.mr_td,
        rtmr0=message.rtmr0,
        rtmr1=message.rtmr1,
        rtmr2=message.rtmr2,
        rtmr3=message.rtmr3,
        mr_config_id=message.mr_config_id,
        mr_owner=message.mr_owner,
        mr_owner_config=message.mr_owner_config,
        attributes=message.attributes,
        attributes_mask=message.attributes_mask,
        xfam=message.xfam,
        xfam_mask=message.xfam_mask,
    )


def _snp(message: pb.SnpMatch) -> SnpMatch:
    if not message.HasField("minimum_tcb"):
        raise DecodeError("policy: snp without minimum_tcb")
    launch = message.HasField("minimum_launch_tcb")
    return SnpMatch(
        minimum_tcb=tcb_of_message(message.minimum_tcb),
        minimum_launch_tcb=tcb_of_message(message.minimum_launch_tcb) if launch else None,
        host_data=message.host_data,
        family_id=message.family_id,
        image_id=message.image_id,
        author_key_digest=message.author_key_digest,
        maximum_vmpl=message.maximum_vmpl,
        products=tuple(message.products),
        allow_migration=message.allow_migration,
        allow_vlek=message.allow_vlek,
        require_single_thread=message.require_single_thread,
    )
