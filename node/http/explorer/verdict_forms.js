// What verifiers concluded of evidence and of collateral: the fields of attestation.proto and their
// rules (docs/spec/attestation.md). A test compares these tables with the .proto file.

import { FormError } from "./bytes.js";
import { bool, bytes, need, number, one, part, u32, u64, word } from "./fields.js";
import { decode, schema } from "./wire.js";

const MAX_VERDICT = 3584;
const MAX_IDENTITY = 3072;
const MAX_COLLATERAL_VERDICT = 512;
const NOT_RATED = "NotRated";
const TCB_STATUSES = [
  "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
  "OutOfDate", "OutOfDateConfigurationNeeded", "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
];
const KINDS = { 1: "sgx", 2: "tdx", 3: "snp" };
const PRODUCTS = ["Genoa", "Milan", "Turin"];
const KEY = /^((sgx|tdx)\/[0-9a-f]{12}\/(processor|platform)|snp\/(Milan|Genoa|Turin))$/;

const SgxFields = schema("SgxFields", MAX_IDENTITY, {
  1: bytes("attributes", 16),
  2: bytes("config_id", 64),
  3: u32("config_svn"),
  4: bytes("ext_product_id", 16),
  5: bytes("family_id", 16),
}, (sgx) => need(sgx.config_svn < 65536, "a number is over 16 bits"));
const TdxFields = schema("TdxFields", MAX_IDENTITY, {
  1: bytes("mr_td", 48),
  2: bytes("rtmr0", 48),
  3: bytes("rtmr1", 48),
  4: bytes("rtmr2", 48),
  5: bytes("rtmr3", 48),
  6: bytes("mr_config_id", 48),
  7: bytes("mr_owner", 48),
  8: bytes("mr_owner_config", 48),
  9: bytes("attributes", 8),
  10: bytes("xfam", 8),
});
const SnpTcb = schema("SnpTcb", MAX_IDENTITY, {
  1: u32("boot_loader"),
  2: u32("tee"),
  3: u32("snp"),
  4: u32("microcode"),
  5: u32("fmc"),
}, (tcb) => need([tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode, tcb.fmc].every((one) => one < 256),
  "a security version is one byte"));
const SnpFields = schema("SnpFields", MAX_IDENTITY, {
  1: bytes("host_data", 32),
  2: bytes("family_id", 16),
  3: bytes("image_id", 16),
  4: bytes("author_key_digest", [0, 48]),
  5: u64("guest_policy"),
  6: u64("platform_info"),
  7: u32("vmpl"),
  8: part("reported_tcb", () => SnpTcb),
  9: part("launch_tcb", () => SnpTcb),
  10: word("product"),
  11: bool("is_vlek"),
}, (snp) => {
  need(snp.vmpl <= 3, "the privilege level is over 3");
  need(snp.reported_tcb !== null && snp.launch_tcb !== null, "a TCB is missing");
  need(PRODUCTS.includes(snp.product), "the product is unknown");
});
const EnclaveIdentity = schema("EnclaveIdentity", MAX_IDENTITY, {
  1: number("platform"),
  2: bytes("measurement", [32, 48]),
  3: bytes("signer", [0, 32, 48]),
  4: u32("product_id"),
  5: u32("svn"),
  6: bool("debug"),
  7: word("tcb_status"),
  8: word("advisories", { repeated: true }),
  9: bytes("platform_id"),
  10: bytes("fmspc", [0, 6]),
  11: u64("tcb_date_s"),
  12: one("fields", "sgx", () => SgxFields),
  13: one("fields", "tdx", () => TdxFields),
  14: one("fields", "snp", () => SnpFields),
}, (identity) => {
  const kind = KINDS[identity.platform];
  need(kind !== undefined, "the platform is unknown");
  need(identity.fields === kind, "the fields are not of this platform");
  need(identity.measurement.length === (kind === "sgx" ? 32 : 48), "the measurement has not its width");
  need(identity.product_id < 65536, "a number is over 16 bits");
  const statuses = kind === "snp" ? [NOT_RATED] : TCB_STATUSES;
  need(statuses.includes(identity.tcb_status), "the TCB status is unknown");
  need(identity.tcb_date_s <= 1n << 40n, "the TCB's date is impossible");
  verifyAdvisories(identity.advisories);
  need(identity.platform_id.length <= 64, "the platform id is too long");
});
export const AttestationVerdict = schema("AttestationVerdict", MAX_VERDICT, {
  1: part("identity", () => EnclaveIdentity),
  2: bytes("report_data", 64),
  3: bytes("quote_digest", 32),
  4: u32("collateral_number"),
  5: u64("verified_at_s"),
  6: u64("effective_s"),
  7: word("collateral_key"),
  8: bytes("collateral_digest", 32),
}, (verdict) => {
  need(verdict.identity !== null, "there is no identity");
  need(verdict.effective_s <= verdict.verified_at_s && verdict.verified_at_s < 1n << 63n,
    "the times are impossible");
  need(KEY.test(verdict.collateral_key), "there is no such collateral");
  need(verdict.collateral_key.startsWith(`${verdict.identity.fields}/`),
    "the collateral is of another kind");
});
export const CollateralVerdict = schema("CollateralVerdict", MAX_COLLATERAL_VERDICT, {
  1: word("key"),
  2: bytes("digest", 32),
  3: u64("order", { repeated: true, packed: true }),
  4: u32("lowest_number"),
  5: u32("highest_number"),
  6: u64("valid_from_s"),
  7: u64("valid_until_s"),
  8: bytes("substance", 32),
  9: u64("verified_at_s"),
}, (verdict) => {
  need(KEY.test(verdict.key), "there is no such collateral");
  const { order } = verdict;
  need(order.length > 0 && order.length <= 16 && order.length % 2 === 0, "no pairs of parts");
  need(order.every((number) => number < 1n << 63n), "a part's number is impossible");
  need(verdict.lowest_number <= verdict.highest_number, "the numbers are impossible");
  need(verdict.valid_from_s <= verdict.valid_until_s && verdict.valid_until_s < 1n << 63n,
    "the times are impossible");
  need(verdict.verified_at_s < 1n << 63n, "the time is impossible");
});

function verifyAdvisories(advisories) {
  need(advisories.length <= 64, "at most 64 advisories");
  for (const [at, advisory] of advisories.entries()) {
    need(/^[A-Za-z0-9-]{1,32}$/.test(advisory), "an advisory is no name");
    need(at === 0 || advisories[at - 1] < advisory, "advisories are not sorted");
  }
}

/** A decoded verdict of evidence, or null for bytes that are none. */
export function verdictOf(encoded) {
  return decodedOrNull(AttestationVerdict, encoded);
}

/** A decoded verdict of collateral, or null for bytes that are none. */
export function collateralVerdictOf(encoded) {
  return decodedOrNull(CollateralVerdict, encoded);
}

function decodedOrNull(form, encoded) {
  try {
    return decode(form, encoded);
  } catch (error) {
    if (error instanceof FormError) return null;
    throw error;
  }
}
