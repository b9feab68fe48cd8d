// What stands in the log and beside it: the fields of proto/sealedger/v1 and their rules
// (docs/spec/formats.md). Verdicts have a file of their own. A test compares these tables with the .proto files.

import { split } from "./bytes.js";
import { bool, bytes, growing, named, need, number, one, part, u32, u64, word } from "./fields.js";
import { REASONS } from "./reasons.js";
import {
  EndorseRelease, PublishRelease, RevokeRelease, RevokeSession, UpdateCollateral, VotePlatform,
} from "./release_forms.js";
import { schema } from "./wire.js";

const MAX_OPERATION = 20 * 1024;
const MAX_OUTCOME = 4096;
const MAX_VERDICT = 3584;
const MAX_COLLATERAL_VERDICT = 512;
const MAX_LEAF = 17_000;
const MAX_EXTRA = 49_146;
const MAX_OPERATIONS = 256;

export const SIGNER_KINDS = { 1: "session", 2: "account", 3: "node", 4: "new session" };
const SIGNER_BYTES = { 1: 32, 2: 20, 3: 32, 4: 33 };

// -- operations --------------------------------------------------------------------------------

const OpenSession = schema("OpenSession", MAX_OPERATION, {
  1: bytes("session_key", 33),
  2: bytes("kem_key", 1216),
  3: bytes("evidence_digest", 32),
  4: bytes("service_key", 32),
  5: bytes("trust_digest", 32),
  6: u64("checkpoint_size"),
  7: bytes("checkpoint_root", 32),
});
const AcquireKey = schema("AcquireKey", MAX_OPERATION, { 1: word("collection") },
  named("collection"));
const Put = schema("Put", MAX_OPERATION, {
  1: word("collection"),
  2: word("name"),
  3: bytes("record_id", 16),
  4: u32("epoch"),
  5: u32("mode"),
  6: bytes("sealed_digest", 32),
  7: u32("size"),
  8: u64("if_version", { optional: true }),
  9: u64("ttl_ms"),
}, (put) => {
  named("collection", "name")(put);
  need(put.mode <= 255, "mode is one byte");
});
const Read = schema("Read", MAX_OPERATION, {
  1: word("collection"),
  2: word("name"),
  3: u64("version", { optional: true }),
}, versioned);
const Delete = schema("Delete", MAX_OPERATION, {
  1: word("collection"),
  2: word("name"),
  3: u64("if_version", { optional: true }),
}, named("collection", "name"));
const KeyServiceStart = schema("KeyServiceStart", MAX_OPERATION, {
  1: bytes("nonce", 32),
  2: bytes("service_key", 32),
});
const CollectionTerms = schema("CollectionTerms", MAX_OPERATION, {
  1: bytes("readers"),
  2: bytes("writers"),
  3: bytes("auditors", 20, { repeated: true }),
  4: u64("ttl_ms"),
}, (terms) => {
  for (const policy of [terms.readers, terms.writers]) {
    need(policy.length >= 1 && policy.length <= 8192, "a policy has 1 to 8,192 bytes");
  }
  need(terms.auditors.length <= 64, "at most 64 auditors");
  growing(terms.auditors, "auditors");
});
const CreateCollection = schema("CreateCollection", MAX_OPERATION, {
  1: word("collection"),
  2: part("terms", () => CollectionTerms),
}, withTerms);
const SetPolicy = schema("SetPolicy", MAX_OPERATION, {
  1: word("collection"),
  2: part("terms", () => CollectionTerms),
}, withTerms);
const FreezeCollection = schema("FreezeCollection", MAX_OPERATION, {
  1: word("collection"),
  2: bool("frozen"),
}, named("collection"));
const Destroy = schema("Destroy", MAX_OPERATION, {
  1: word("collection"),
  2: word("name"),
  3: u64("version", { optional: true }),
}, versioned);

export const Operation = schema("Operation", MAX_OPERATION, {
  1: one("kind", "open_session", () => OpenSession),
  2: one("kind", "acquire_key", () => AcquireKey),
  3: one("kind", "put", () => Put),
  4: one("kind", "read", () => Read),
  5: one("kind", "delete", () => Delete),
  6: one("kind", "key_service_start", () => KeyServiceStart),
  7: one("kind", "create_collection", () => CreateCollection),
  8: one("kind", "set_policy", () => SetPolicy),
  9: one("kind", "freeze_collection", () => FreezeCollection),
  10: one("kind", "destroy", () => Destroy),
  11: one("kind", "update_collateral", () => UpdateCollateral),
  12: one("kind", "publish_release", () => PublishRelease),
  13: one("kind", "endorse_release", () => EndorseRelease),
  14: one("kind", "revoke_release", () => RevokeRelease),
  15: one("kind", "revoke_session", () => RevokeSession),
  16: one("kind", "vote_platform", () => VotePlatform),
}, hasKind);

function versioned(message) {
  named("collection", "name")(message);
  need(message.version !== 0n, "versions start at 1");
}

function withTerms(message) {
  named("collection")(message);
  need(message.terms !== null, "a collection without terms");
}

function hasKind(message) {
  need(message.kind !== null, "it is of no kind");
}

// -- outcomes ----------------------------------------------------------------------------------

const SessionOpened = schema("SessionOpened", MAX_OUTCOME, {
  1: bytes("session_id", 32),
  2: u64("expires_ms"),
  3: u32("epoch"),
  4: bytes("verdict"),
}, (opened) => need(opened.verdict.length <= MAX_VERDICT, "the verdict is too large"));
const KeyAcquired = schema("KeyAcquired", MAX_OUTCOME, {
  1: word("collection"),
  2: u32("epoch"),
  3: bytes("session_id", 32),
  4: bytes("identity_digest", 32),
  5: u32("session_epoch"),
}, named("collection"));
const PutDone = schema("PutDone", MAX_OUTCOME, { 1: u64("version") }, counted("version"));
const ReadGranted = schema("ReadGranted", MAX_OUTCOME, {
  1: word("collection"),
  2: word("name"),
  3: u64("version"),
  4: word("origin_collection"),
  5: word("origin_name"),
  6: bytes("record_id", 16),
  7: u32("epoch"),
  8: u32("mode"),
  9: bytes("writer_session", 32),
  10: bytes("sealed_digest", 32),
  11: bytes("reader_session", 32),
  12: bytes("identity_digest", 32),
  13: u64("put_index"),
  14: u32("put_position"),
  15: u32("reader_epoch"),
}, (read) => {
  named("collection", "name", "origin_collection", "origin_name")(read);
  counted("version")(read);
  need(read.mode >= 1 && read.mode <= 255, "no value was ever put with this mode");
  need(read.put_position < MAX_OPERATIONS, "no value was ever put at this position");
});
const Deleted = schema("Deleted", MAX_OUTCOME, { 1: u64("version") }, counted("version"));
const Conflict = schema("Conflict", MAX_OUTCOME, { 1: u64("version") });
const Destroyed = schema("Destroyed", MAX_OUTCOME, { 1: u64("first"), 2: u64("last") }, (gone) => {
  counted("first", "last")(gone);
  need(gone.first <= gone.last, "versions go from the first to the last");
});
const CollateralUpdated = schema("CollateralUpdated", MAX_OUTCOME, {
  1: bytes("verdict"),
}, ({ verdict }) => need(verdict.length >= 1 && verdict.length <= MAX_COLLATERAL_VERDICT,
  "a verdict of collateral has 1 to 512 bytes"));
const Votes = schema("Votes", MAX_OUTCOME, {
  1: u32("cast"),
  2: u32("needed"),
});

export const Outcome = schema("Outcome", MAX_OUTCOME, {
  1: number("reason"),
  2: one("detail", "session_opened", () => SessionOpened),
  3: one("detail", "key_acquired", () => KeyAcquired),
  4: one("detail", "put_done", () => PutDone),
  5: one("detail", "read_granted", () => ReadGranted),
  6: one("detail", "deleted", () => Deleted),
  7: one("detail", "conflict", () => Conflict),
  8: one("detail", "destroyed", () => Destroyed),
  9: one("detail", "collateral_updated", () => CollateralUpdated),
  10: one("detail", "votes", () => Votes),
}, (outcome) => {
  const reason = REASONS[outcome.reason];
  need(reason !== undefined, "the reason is unknown");
  const isConflict = reason.name === "VERSION_CONFLICT";
  need(isConflict === (outcome.detail === "conflict"), "the detail is not of this reason");
  need(isConflict || outcome.detail === null || reason.name === "OK",
    "the detail is not of this reason");
});

function counted(...fields) {
  return (message) => {
    for (const field of fields) need(message[field] > 0n, "versions start at 1");
  };
}

// -- leaves ------------------------------------------------------------------------------------

const TransactionLeaf = schema("TransactionLeaf", MAX_LEAF, {
  1: u64("height"),
  2: u64("time_ms"),
  3: bytes("body"),
  4: bytes("signature", [64, 65]),
  5: bytes("outcome_digests"),
}, (leaf) => digests(leaf.outcome_digests));
const BlockHeader = schema("BlockHeader", MAX_LEAF, {
  1: u64("height"),
  2: u64("time_ms"),
  3: bytes("state_root", [0, 32]),
  4: u64("trust_version"),
  5: u32("epoch"),
  6: u32("rules_version"),
});
const GenesisLeaf = schema("GenesisLeaf", MAX_LEAF, {
  1: bytes("network_id", 32),
  2: u64("time_ms"),
});
export const Leaf = schema("Leaf", MAX_LEAF, {
  1: one("kind", "transaction", () => TransactionLeaf),
  2: one("kind", "header", () => BlockHeader),
  3: one("kind", "genesis", () => GenesisLeaf),
}, hasKind);
export const Body = schema("Body", 8448, {
  1: bytes("network_id", 32),
  2: number("signer_kind"),
  3: bytes("signer"),
  4: u64("sequence"),
  5: u64("valid_until_ms"),
  6: bool("atomic"),
  7: bytes("operation_digests"),
}, (body) => {
  need(SIGNER_BYTES[body.signer_kind] === body.signer.length, "the signer has not its width");
  digests(body.operation_digests);
});

/** Digests of 32 bytes in one string: 1 to 256 of them. */
export function digests(joined) {
  const found = split(joined, 32, "digests");
  need(found.length >= 1 && found.length <= MAX_OPERATIONS, "there are 1 to 256 digests");
  return found;
}

// -- receipts ----------------------------------------------------------------------------------

const OpenedOperation = schema("OpenedOperation", MAX_EXTRA, {
  1: u32("position"),
  2: bytes("salt", 16),
  3: bytes("operation"),
  4: bytes("outcome"),
});
export const Opening = schema("Opening", MAX_EXTRA, {
  1: bytes("leaf"),
  2: part("operations", () => OpenedOperation, { repeated: true }),
}, (opening) => {
  need(opening.leaf.length <= MAX_LEAF, "the leaf is too large");
  need(opening.operations.length > 0, "it opens no operation");
  const positions = opening.operations.map((opened) => opened.position);
  need(positions.every((at, n) => n === 0 || positions[n - 1] < at), "positions must grow");
});
