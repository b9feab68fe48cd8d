// What is pinned: the network's id and who must have signed a checkpoint, of a network file.

import { FormError, fromHex } from "./bytes.js";
import { COSIGNER_KEY, LOG_KEY, decodeVkey, verifierKey } from "./note.js";
import { parseToml } from "./toml.js";

const MAX_FILE = 256 * 1024;
const PROFILES = ["development", "single", "consortium"];

/**
 * The pinned facts of a network file: {networkId, name, profile, isDevelopment, origin, rule}.
 * rule: {logKey, cosigners: [{key, operator}], threshold, witnesses, witnessThreshold}.
 * FormError for a file that cannot be meant: an empty list is never a satisfied one.
 */
export async function decodeNetworkFile(text) {
  need(text.length <= MAX_FILE, "it is too large");
  const table = parseToml(text);
  const log = table.log;
  need(typeof log === "object" && typeof log.vkey === "string", "[log] has no vkey");
  const networkId = fromHex(string(table.network_id, "network_id"));
  need(networkId.length === 32, "network_id has 32 bytes");
  need(PROFILES.includes(table.profile), "the profile is unknown");
  const logKey = await decodeVkey(log.vkey);
  need(logKey.kind === LOG_KEY, "the log key is not of its type");
  const isDevelopment = table.profile === "development";
  need(logKey.name.startsWith("dev.") === isDevelopment,
    "origins that start with dev. are those of development networks");
  return {
    networkId,
    name: string(table.name, "name"),
    profile: table.profile,
    isDevelopment,
    origin: logKey.name,
    rule: await quorumRule(logKey, log),
  };
}

async function quorumRule(logKey, log) {
  const cosigners = await parties(log.cosigners ?? [], "cosigners");
  const witnesses = await parties(log.witnesses ?? [], "witnesses");
  const operators = new Set(cosigners.map((one) => one.operator));
  const witnessThreshold = log.witness_quorum ?? 0;
  need(cosigners.length > 0, "it names no cosigners");
  need(isWithin(log.quorum, 1, operators.size), "the quorum cannot be met");
  need(isWithin(witnessThreshold, 0, witnesses.length), "the witness quorum cannot be met");
  const keys = [logKey, ...[...cosigners, ...witnesses].map((one) => one.key)];
  need(keys.length <= 100, "it names more than 100 keys");
  need(new Set(keys.map((one) => one.name)).size === keys.length, "one name stands twice");
  const spelled = keys.map((one) => one.publicKey.join());
  need(new Set(spelled).size === keys.length, "one key stands twice");
  return { logKey, cosigners, threshold: log.quorum, witnesses, witnessThreshold };
}

function parties(list, what) {
  need(Array.isArray(list), `${what} is no list`);
  return Promise.all(list.map(party));
}

async function party(entry) {
  const name = string(entry.name, "a cosigner's name");
  const publicKey = fromHex(string(entry.public_key, "a cosigner's key"));
  const operator = string(entry.operator, "a cosigner's operator");
  return { key: await verifierKey(name, COSIGNER_KEY, publicKey), operator };
}

function isWithin(number, least, most) {
  return Number.isInteger(number) && least <= number && number <= most;
}

function string(found, what) {
  need(typeof found === "string" && found !== "", `${what} is missing`);
  return found;
}

function need(holds, what) {
  if (!holds) throw new FormError(`network file: ${what}`);
}
