// Operations and outcomes in words.

import { hex } from "./bytes.js";
import { code, count, moment } from "./dom.js";
import { PLATFORMS } from "./evidence_words.js";
import { SIGNER_KINDS } from "./forms.js";
import { REASONS } from "./reasons.js";
import { PLATFORM_VOTES } from "./release_forms.js";
import { collateralVerdictOf } from "./verdict_forms.js";

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
  update_collateral: "update collateral",
  publish_release: "publish release",
  endorse_release: "endorse release",
  revoke_release: "revoke release",
  revoke_session: "revoke session",
};
const VOTES = { 1: "vote to enrol platform", 2: "vote to remove platform", 3: "take back the vote on platform" };

/** An operation's kind in words. */
export function kindOf(operation) {
  if (operation.kind === "freeze_collection" && !operation.freeze_collection.frozen) {
    return "let a frozen collection go on";
  }
  if (operation.kind === "revoke_session" && operation.revoke_session.collection === "") {
    return "end session"; // by itself, or a member's vote: the signer and the outcome tell
  }
  if (operation.kind === "vote_platform") return VOTES[operation.vote_platform.vote];
  return WORDS[operation.kind];
}

/**
 * The collection and name that an operation is about, or a release, or a platform, or what collateral
 * is for, which its outcome says; empty where it is about none.
 */
export function subjectOf(operation, outcome = null) {
  const message = operation[operation.kind];
  if (outcome?.detail === "collateral_updated") {
    return { collection: collateralVerdictOf(outcome.collateral_updated.verdict)?.key ?? "", name: "" };
  }
  const release = message.release ?? (operation.kind.endsWith("_release") ? message : null);
  if (release) return { collection: `${release.name}@${versionText(release.version)}`, name: "" };
  if (operation.kind === "vote_platform") return { collection: hex(message.platform_id), name: "" };
  const { collection = "", name = "" } = message;
  return { collection, name };
}

/** The id of the session that an operation ends, as hex; empty where it ends none. */
export function endedBy(operation) {
  return operation.kind === "revoke_session" ? hex(operation.revoke_session.session_id) : "";
}

/** The reason's name and what it means. */
export function reasonOf(outcome) {
  const reason = REASONS[outcome.reason];
  return { name: reason.name, says: reason.says, isDone: reason.name === "OK" };
}

/** The version or the votes that an outcome is about, in words; empty where it is about none. */
export function versionOf(outcome) {
  const detail = outcome[outcome.detail];
  if (outcome.detail === "destroyed") return `${detail.first} to ${detail.last}`;
  if (outcome.detail === "votes") {
    return detail.needed === 0 ? `${detail.cast} so far` : `${detail.cast} of ${detail.needed}`;
  }
  if (outcome.detail === "conflict") return `${detail.version} is current`;
  return detail?.version === undefined ? "" : String(detail.version);
}

/** Who signs: the kind in words, and the bytes as hex, of an account as addresses are written. */
export function signerOf(body) {
  const kind = SIGNER_KINDS[body.signer_kind];
  return { kind, id: kind === "account" ? `0x${hex(body.signer)}` : hex(body.signer) };
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
  if (outcome.detail === "votes") {
    return [...rows, [detail.needed === 0 ? "Endorsed by" : "Votes", versionOf(outcome)]];
  }
  for (const [field, value] of Object.entries(detail)) {
    if (field !== "verdict") rows.push(...fieldRows(field, value));
  }
  return rows;
}

function fieldRows(name, value) {
  const words = name.replace(/_(ms|s)$/, "").replaceAll("_", " ");
  const label = words[0].toUpperCase() + words.slice(1);
  if (name === "raw" || value === null || value === "") return [];
  if (name === "terms") return termsRows(value);
  if (name === "release") return releaseRows(value);
  if (name === "vote") return [[label, PLATFORM_VOTES[value]]];
  if (name === "since") return value === 0n ? [] : [["On the list as of entry", count(value)]];
  if (name === "version" && typeof value === "object") return [[label, versionText(value)]];
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

function releaseRows(release) {
  return [
    ["Name", release.name],
    ["Version", versionText(release.version)],
    ...release.measurements.map((one) =>
      [`Measurement on ${PLATFORMS[one.platform]}`, code(hex(one.measurement))]),
    ["Source digest", code(hex(release.source_digest))],
    ["Notes", release.notes || "none"],
    ["Auditors", release.auditors.map((one) => `0x${hex(one)}`).join(", ")],
  ];
}

function versionText({ major, minor, patch }) {
  return `${major}.${minor}.${patch}`;
}
