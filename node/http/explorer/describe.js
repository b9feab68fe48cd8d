// Operations, outcomes and evidence in words.

import { hex } from "./bytes.js";
import { code, count, moment } from "./dom.js";
import { SIGNER_KINDS } from "./forms.js";
import { REASONS } from "./reasons.js";

const WORDS = {
  open_session: "open session",
  acquire_key: "acquire key",
  put: "write",
  read: "read",
  delete: "delete",
  key_service_start: "key service start",
  create_collection: "create collection",
  set_policy: "set policy",
  freeze_collection: "freeze collection",
  destroy: "destroy",
};
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
};

/** An operation's kind in words. */
export function kindOf(operation) {
  if (operation.kind === "freeze_collection" && !operation.freeze_collection.frozen) {
    return "let a frozen collection go on";
  }
  return WORDS[operation.kind];
}

/** The collection and name that an operation is about; empty where it is about none. */
export function subjectOf(operation) {
  const { collection = "", name = "" } = operation[operation.kind];
  return { collection, name };
}

/** The reason's name and what it means. */
export function reasonOf(outcome) {
  const reason = REASONS[outcome.reason];
  return { name: reason.name, says: reason.says, isDone: reason.name === "OK" };
}

/** The version that an outcome is about, in words; empty where it is about none. */
export function versionOf(outcome) {
  const detail = outcome[outcome.detail];
  if (outcome.detail === "destroyed") return `${detail.first} to ${detail.last}`;
  if (outcome.detail === "conflict") return `${detail.version} is current`;
  return detail?.version === undefined ? "" : String(detail.version);
}

/** Who signs: the kind in words, and the bytes as hex. */
export function signerOf(body) {
  return { kind: SIGNER_KINDS[body.signer_kind], id: hex(body.signer) };
}

/** Every field of an operation as rows of a list of facts. */
export function operationRows(operation) {
  const message = operation[operation.kind];
  const rows = [["Operation", kindOf(operation)]];
  for (const [name, value] of Object.entries(message)) rows.push(...fieldRows(name, value));
  return rows;
}

/** Every field of an outcome as rows; a verdict has its own explanation. */
export function outcomeRows(outcome) {
  const { name, says } = reasonOf(outcome);
  const rows = [["Outcome", name, says]];
  const detail = outcome.detail === null ? {} : outcome[outcome.detail];
  for (const [field, value] of Object.entries(detail)) {
    if (field !== "verdict") rows.push(...fieldRows(field, value));
  }
  return rows;
}

function fieldRows(name, value) {
  const words = name.replace(/_(ms|s)$/, "").replaceAll("_", " ");
  const label = words[0].toUpperCase() + words.slice(1);
  if (name === "raw" || value === null) return [];
  if (name === "terms") return termsRows(value);
  if (name === "expires_ms") return [[label, moment(value)]];
  if (name === "ttl_ms") return value === 0n ? [] : [["Time to live", `${count(value)} ms`]];
  if (value instanceof Uint8Array) return [[label, code(hex(value))]];
  if (typeof value === "boolean") return [[label, value ? "yes" : "no"]];
  return [[label, typeof value === "string" ? value : count(value)]];
}

function termsRows(terms) {
  return [
    ["Readers (policy)", code(hex(terms.readers))],
    ["Writers (policy)", code(hex(terms.writers))],
    ["Auditors", terms.auditors.map((one) => `0x${hex(one)}`).join(", ") || "none"],
    ["Time to live of values", terms.ttl_ms === 0n ? "for ever" : `${count(terms.ttl_ms)} ms`],
  ];
}

/** A verdict field by field: what it is and what it means. */
export function verdictRows(verdict) {
  const { identity } = verdict;
  const grace = verdict.effective_s < verdict.verified_at_s;
  return [
    ["Platform", PLATFORMS[identity.platform], "the kind of hardware that vouches for the code"],
    ["Measurement", code(hex(identity.measurement)), "the hash of the code that ran: other code, other hash"],
    ["Signer", identity.signer.length ? code(hex(identity.signer)) : "none",
      "the hash of the key that the code's author signed it with"],
    ["Product", String(identity.product_id), "the author's number for this program"],
    ["Security version", String(identity.svn), "grows with each fix; policies ask for a least one"],
    ["Debug", identity.debug ? "YES: its host can read its memory" : "no",
      "debug enclaves keep no secrets"],
    ["TCB status", identity.tcb_status, STATUSES[identity.tcb_status]],
    ["Advisories", identity.advisories.join(", ") || "none",
      "the vendor's security notes that apply to the machine"],
    ["Platform id", identity.platform_id.length ? code(hex(identity.platform_id)) : "none",
      "which machine (PPID), where it says so"],
    ["FMSPC", identity.fmspc.length ? code(hex(identity.fmspc)) : "none", "the machine's model"],
    ["Report data", code(hex(verdict.report_data)),
      "what the code bound into its evidence: the session's keys, the network, a fresh checkpoint"],
    ["Quote digest", code(hex(verdict.quote_digest)), "names the evidence; each opens one session"],
    ["Collateral number", String(verdict.collateral_number),
      "the edition of the vendor's data that it was judged by (tcbEvaluationDataNumber)"],
    ["Judged at", moment(verdict.verified_at_s * 1000n), "when the node verified it"],
    ["Judged as of", moment(verdict.effective_s * 1000n),
      grace ? "EARLIER: the vendor's data had ended and the network's grace was used" : "the same moment"],
  ];
}

/** Who an enclave is, in one line. */
export function identityLine(identity) {
  return `${PLATFORMS[identity.platform]}, measurement ${hex(identity.measurement).slice(0, 16)}…, ` +
    `product ${identity.product_id}, version ${identity.svn}, ${identity.tcb_status}` +
    `${identity.debug ? ", DEBUG" : ""}`;
}
