// What an auditor's files and answers open, checked and put together. Kept while the page is open.

import { FormError, encode, equal, hex, text } from "./bytes.js";
import { checkOpened, checkReceipt, identityDigest, verdict } from "./checks.js";
import { endedBy, kindOf, reasonOf, signerOf, subjectOf, versionOf } from "./describe.js";
import { identityLine } from "./evidence_words.js";
import { entriesOf } from "./query.js";
import { AttestationVerdict, verdictOf } from "./verdict_forms.js";
import { decode } from "./wire.js";

const RECEIPT = encode("c2sp.org/tlog-proof@v1");
const records = new Map(); // "index/position" -> record
const sessions = new Map(); // session id as hex -> {verdict, state, record}

/** All records by place: {index, position, timeMs, signer, operation, outcome, steps, state, …}. */
export function all() {
  return [...records.values()].sort((a, b) =>
    a.index === b.index ? a.position - b.position : Number(a.index - b.index));
}

/** What is known of a session: {verdict, state, record}, or undefined. */
export function sessionOf(id) {
  return sessions.get(id);
}

/** Forget everything. */
export function clear() {
  records.clear();
  sessions.clear();
}

/**
 * Take in a file: a receipt, a node's answer (JSON), or lines of JSON with a receipt each. Gives
 * {taken, bad}: how many operations were taken, and what was not believed, with why.
 */
export async function takeFile(bytes, network) {
  if (equal(bytes.subarray(0, RECEIPT.length), RECEIPT)) return takeReceipt(bytes, network);
  const whole = text(bytes, "file").trim();
  if (isJson(whole)) return takeJson(JSON.parse(whole), network);
  const result = { taken: 0, bad: [] };
  for (const [at, line] of whole.split("\n").entries()) {
    if (!isJson(line)) throw new FormError(`line ${at + 1} is neither a receipt nor JSON`);
    const one = await takeJson(JSON.parse(line), network);
    result.taken += one.taken;
    result.bad.push(...one.bad.map((why) => `line ${at + 1}: ${why}`));
  }
  return result;
}

/** Take in a node's answer to a question for entries; as `takeFile`. */
export async function takeAnswer(answer, network) {
  const result = { taken: 0, bad: [] };
  for (const entry of entriesOf(answer)) {
    const found = await checkOpened(entry, entry.operations, network);
    await keep(entry.index, found, result);
  }
  return result;
}

function takeJson(found, network) {
  if (typeof found?.receipt === "string") return takeReceipt(encode(found.receipt), network);
  if (Array.isArray(found?.entries)) return takeAnswer(found, network);
  return { taken: 0, bad: ["it carries no receipt, so nothing in it can be checked"] };
}

async function takeReceipt(bytes, network) {
  const result = { taken: 0, bad: [] };
  const found = await checkReceipt(bytes, network);
  await keep(found.index, found, result);
  return result;
}

/** Keep what an entry opens. What is proven false is not shown as if it had happened. */
async function keep(index, found, result) {
  const state = verdict(found.steps);
  if (state === "bad") {
    const why = found.steps.find((step) => step.state === "bad");
    result.bad.push(`entry ${index ?? "?"}: ${why.name}: ${why.detail}`);
    return;
  }
  for (const { position, operation, outcome } of found.opened) {
    const record = {
      index, position, state, operation, outcome, steps: found.steps,
      timeMs: found.leaf.transaction.time_ms,
      signer: signerOf(found.body),
      identityDigest: outcome[outcome.detail]?.identity_digest ?? null,
    };
    if (outcome.detail === "session_opened") await keepSession(record);
    records.set(`${index}/${position}`, record);
    result.taken += 1;
  }
}

async function keepSession(record) {
  const { session_id: id, verdict: encoded } = record.outcome.session_opened;
  const found = verdictOf(encoded);
  if (found === null) return;
  const { identity } = decode(AttestationVerdict, encoded).raw;
  sessions.set(hex(id), {
    verdict: found, state: record.state, record, digest: await identityDigest(identity),
  });
}

/** The session that acted in a record, as hex; null for accounts and nodes. */
export function actorOf(record) {
  if (record.outcome.detail === "session_opened") return hex(record.outcome.session_opened.session_id);
  return record.signer.kind === "session" ? record.signer.id : null;
}

/** With which code a record was made: {line, isSame}; isSame is false if the outcome says another. */
export function codeOf(record) {
  const session = sessions.get(actorOf(record) ?? "");
  if (session === undefined) return null;
  const isSame = record.identityDigest === null || equal(record.identityDigest, session.digest);
  return { line: identityLine(session.verdict.identity), isSame };
}

/** Everything that a search may find in a record, in lower case. */
export function wordsOf(record) {
  const { collection, name } = subjectOf(record.operation, record.outcome);
  const session = sessions.get(actorOf(record) ?? "");
  const identity = session?.verdict.identity;
  const measured = identity
    ? [identity.measurement, identity.signer, identity.platform_id].map(hex).join(" ") : "";
  const outcome = reasonOf(record.outcome).name;
  return [`${collection}/${name}`, record.signer.kind, record.signer.id, actorOf(record) ?? "",
    kindOf(record.operation), endedBy(record.operation), outcome, versionOf(record.outcome), measured,
    identity?.tcb_status ?? "", record.index].join(" ").toLowerCase();
}

function isJson(line) {
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}
