// What verifiers concluded, in words: of evidence and of collateral.

import { hex } from "./bytes.js";
import { code, moment } from "./dom.js";

export const PLATFORMS = { 1: "Intel SGX", 2: "Intel TDX", 3: "AMD SEV-SNP" };
const STATUSES = {
  UpToDate: "firmware and microcode are what the vendor calls safe",
  SWHardeningNeeded: "safe only if the enclave's own code is hardened",
  ConfigurationNeeded: "the machine's settings need a change",
  ConfigurationAndSWHardeningNeeded: "the machine's settings and the enclave's code need a change",
  OutOfDate: "the machine lacks security updates",
  OutOfDateConfigurationNeeded: "the machine lacks security updates, its settings need a change",
  TDRelaunchAdvised: "the machine was updated: the domain should be started again",
  TDRelaunchAdvisedConfigurationNeeded: "as before, and the machine's settings need a change",
  NotRated: "the vendor publishes no status: policies judge the firmware's versions instead",
};
const SGX = {
  attributes: ["Attributes", "how the enclave was made: flags, then which processor state it uses"],
  config_id: ["Configuration id", "chosen by whoever started it"],
  ext_product_id: ["Extended product id", "the author's wider number for this program"],
  family_id: ["Family id", "the author's number for a family of programs"],
};
const TDX = {
  mr_td: ["MRTD", "the hash of the domain's first memory: its firmware"],
  rtmr0: ["RTMR 0", "measured while running: the firmware's settings"],
  rtmr1: ["RTMR 1", "measured while running: the kernel"],
  rtmr2: ["RTMR 2", "measured while running: command line, first file system"],
  rtmr3: ["RTMR 3", "measured while running: free for the program"],
  mr_config_id: ["MRCONFIGID", "configuration chosen by whoever started it"],
  mr_owner: ["MROWNER", "the owner that it was started for"],
  mr_owner_config: ["MROWNERCONFIG", "that owner's configuration"],
  attributes: ["Attributes", "how the domain was made"],
  xfam: ["XFAM", "which processor state it may use"],
};
const SNP = {
  host_data: ["Host data", "chosen by the host when it started the guest"],
  family_id: ["Family id", "the author's number for a family of programs"],
  image_id: ["Image id", "the author's number for this image"],
  author_key_digest: ["Author key", "the hash of the key that signed the signer's key"],
};
const SNP_PARTS = { boot_loader: "boot loader", tee: "TEE", snp: "SNP", microcode: "microcode", fmc: "FMC" };

/** A verdict field by field: what it is and what it means. */
export function verdictRows(verdict) {
  const { identity } = verdict;
  const grace = verdict.effective_s < verdict.verified_at_s;
  return [
    ["Platform", PLATFORMS[identity.platform], "the kind of hardware that vouches for the code"],
    ["Measurement", code(hex(identity.measurement)), "the hash of the code that ran: other code, other hash"],
    ["Signer", shown(identity.signer), "the hash of the key that the code's author signed it with"],
    ["Product", String(identity.product_id), "the author's number for this program"],
    ["Security version", String(identity.svn), "grows with each fix; policies ask for a least one"],
    ["Debug", identity.debug ? "YES: its host can read its memory" : "no",
      "debug enclaves keep no secrets"],
    ["TCB status", identity.tcb_status, STATUSES[identity.tcb_status]],
    ["TCB date", identity.tcb_date_s === 0n ? null : moment(identity.tcb_date_s * 1000n),
      "until when the machine has every security update"],
    ["Advisories", identity.advisories.join(", ") || "none",
      "the vendor's security notes that apply to the machine"],
    ["Platform id", shown(identity.platform_id), "which machine (PPID or CHIP_ID), where it says so"],
    ["FMSPC", shown(identity.fmspc), "the machine's model"],
    ...fieldRows(identity),
    ["Report data", code(hex(verdict.report_data)),
      "what the code bound into its evidence: the session's keys, the network, a fresh checkpoint"],
    ["Quote digest", code(hex(verdict.quote_digest)), "names the evidence; each opens one session"],
    ["Collateral", verdict.collateral_key, "which of the vendor's data it was judged by"],
    ["Collateral digest", code(hex(verdict.collateral_digest)), "names exactly those data"],
    ["Collateral number", verdict.collateral_number === 0 ? null : String(verdict.collateral_number),
      "their edition (tcbEvaluationDataNumber)"],
    ["Judged at", moment(verdict.verified_at_s * 1000n), "when the node verified it"],
    ["Judged as of", moment(verdict.effective_s * 1000n),
      grace ? "EARLIER: the vendor's data had ended and the network's grace was used" : "the same moment"],
  ];
}

/** What was concluded about collateral, field by field. */
export function collateralRows(verdict) {
  const numbers = verdict.highest_number === 0
    ? null : `${verdict.lowest_number} to ${verdict.highest_number}`;
  return [
    ["Collateral", verdict.key, "the kind of platform that it is for"],
    ["Collateral digest", code(hex(verdict.digest)), "names exactly these data"],
    ["Editions", numbers, "the vendor's numbers (tcbEvaluationDataNumber)"],
    ["Valid from", moment(verdict.valid_from_s * 1000n), "by the dates of all its parts"],
    ["Valid until", moment(verdict.valid_until_s * 1000n), "after it, and the network's grace, newer is needed"],
    ["Substance", code(hex(verdict.substance)), "the hash of all that it says but its dates and numbers"],
    ["Judged at", moment(verdict.verified_at_s * 1000n), "when the node verified it"],
  ];
}

/** Who an enclave is, in one line. */
export function identityLine(identity) {
  return `${PLATFORMS[identity.platform]}, measurement ${hex(identity.measurement).slice(0, 16)}…, ` +
    `product ${identity.product_id}, version ${identity.svn}, ${identity.tcb_status}` +
    `${identity.debug ? ", DEBUG" : ""}`;
}

function fieldRows({ fields, sgx, tdx, snp }) {
  if (fields === "sgx") {
    const version = ["Configuration version", String(sgx.config_svn), "chosen with the configuration id"];
    return [...bytesRows(sgx, SGX), version];
  }
  return fields === "tdx" ? bytesRows(tdx, TDX) : snpRows(snp);
}

function snpRows(snp) {
  return [
    ["Processor", `EPYC ${snp.product}`, "the product line whose root vouches for it"],
    ["Firmware reported", partsOf(snp.reported_tcb), "the versions that the machine's key stands for"],
    ["Firmware at launch", partsOf(snp.launch_tcb), "the versions when the guest was started"],
    ["Guest policy", number64(snp.guest_policy), "what the guest lets its host do, as bits"],
    ["Platform info", number64(snp.platform_info), "the machine's settings, as bits"],
    ["Privilege level", String(snp.vmpl), "0 is the guest's highest"],
    ["Signed by", snp.is_vlek ? "the cloud's key (VLEK)" : "the chip's key (VCEK)",
      "the cloud's key names no chip"],
    ...bytesRows(snp, SNP),
  ];
}

function bytesRows(message, words) {
  return Object.entries(words).map(([name, [label, says]]) => [label, shown(message[name]), says]);
}

function partsOf(tcb) {
  return Object.entries(SNP_PARTS).map(([name, label]) => `${label} ${tcb[name]}`).join(", ");
}

function number64(found) {
  return code(found.toString(16).padStart(16, "0"));
}

function shown(found) {
  return found.length ? code(hex(found)) : "none";
}
