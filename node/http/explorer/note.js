// Signed notes, verifier keys, checkpoints, cosignatures and proof files (docs/spec/log.md).

import { FormError, base64, encode, fromBase64, fromDecimal, hex, text } from "./bytes.js";
import { MAX_PROOF_HASHES, MAX_TREE_SIZE, sha256 } from "./merkle.js";

export const LOG_KEY = 1;
export const COSIGNER_KEY = 4;
const MAX_NOTE_BYTES = 65_536;
const MAX_SIGNATURES = 100;
const MAX_LINE = 65_536;
const MAX_TIME = (1n << 63n) - 1n;
const EMPTY_ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const HEADER = "c2sp.org/tlog-proof@v1";
const LINE_START = "\u2014 ";
const SPACES =
  /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** A key with its name and the id that both give: {name, kind, publicKey, keyId}. */
export async function verifierKey(name, kind, publicKey) {
  verifyName(name);
  if (publicKey.length !== 32) throw new FormError("a public key has 32 bytes");
  const digest = await sha256(encode(`${name}\n`), Uint8Array.of(kind), publicKey);
  return { name, kind, publicKey, keyId: hex(digest.subarray(0, 4)) };
}

/** The key of a verifier key's text `name+id+base64`. */
export async function decodeVkey(spelled) {
  const [name, keyId, ...rest] = spelled.split("+");
  const body = rest.join("+"); // base64 may hold a plus sign
  const bytes = fromBase64(body, "verifier key");
  if (bytes.length !== 33 || ![LOG_KEY, COSIGNER_KEY].includes(bytes[0])) {
    throw new FormError("verifier key of an unknown type");
  }
  const key = await verifierKey(name, bytes[0], bytes.subarray(1));
  if (key.keyId !== keyId) throw new FormError("verifier key has another id than it gives");
  return key;
}

/** The parts of a signed note: its text (with the last newline) and its signature lines. */
export function decodeNote(bytes) {
  if (bytes.length > MAX_NOTE_BYTES) throw new FormError("the note is too large");
  const whole = text(bytes, "note");
  const at = whole.lastIndexOf("\n\n");
  if (at < 0) throw new FormError("the note has no empty line before its signatures");
  const signed = whole.slice(0, at + 1);
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/.test(signed)) throw new FormError("a control character");
  const rest = whole.slice(at + 2);
  if (!rest.endsWith("\n")) throw new FormError("the last signature line has no newline");
  const lines = rest.slice(0, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw new FormError("the note has too many signatures");
  return { text: signed, signatures: lines.map(signatureLine) };
}

function signatureLine(line) {
  const at = line.lastIndexOf(" ");
  if (!line.startsWith(LINE_START) || at < LINE_START.length) {
    throw new FormError("a signature line has not its form");
  }
  const name = line.slice(LINE_START.length, at);
  verifyName(name, Infinity);
  const bytes = fromBase64(line.slice(at + 1), "signature");
  if (bytes.length <= 4) throw new FormError("a signature line has no signature");
  return { name, keyId: hex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
}

function verifyName(name, maximum = 255) {
  // eslint-disable-next-line no-control-regex
  const isOdd = name === "" || name.includes("+") || SPACES.test(name) || /[\0-\x1f]/.test(name);
  if (isOdd || encode(name).length > maximum) throw new FormError("a key's name has not its form");
}

/** A checkpoint's origin, size (BigInt) and root of a note's text: exactly three lines. */
export function decodeCheckpoint(signed) {
  const lines = signed.split("\n");
  if (lines.length !== 4 || lines[3] !== "") {
    throw new FormError("a checkpoint has exactly three lines");
  }
  verifyName(lines[0]);
  const size = fromDecimal(lines[1], MAX_TREE_SIZE, "the checkpoint's size");
  const root = fromBase64(lines[2], "the checkpoint's root");
  if (root.length !== 32 || (size === 0n && base64(root) !== EMPTY_ROOT)) {
    throw new FormError("the checkpoint's root cannot be meant");
  }
  return { origin: lines[0], size, root };
}

/** What a line's key must have signed and the signature itself: {message, signature, timeS}. */
export function signedBy(key, line, signed) {
  if (key.kind === LOG_KEY) return { message: encode(signed), signature: line.signature, timeS: 0n };
  if (line.signature.length !== 72) throw new FormError(`a cosignature by ${key.name} is cut`);
  const timeS = BigInt(`0x${hex(line.signature.subarray(0, 8))}`);
  if (timeS < 1n || timeS > MAX_TIME) throw new FormError("a cosignature's time is impossible");
  const message = encode(`cosignature/v1\ntime ${timeS}\n${signed}`);
  return { message, signature: line.signature.subarray(8), timeS };
}

/** A proof file's {index, hashes, checkpoint, extra}; nothing is verified. */
export function decodeProofFile(bytes) {
  if (bytes.length > 2 * MAX_LINE + 8192) throw new FormError("the file is too large");
  const whole = text(bytes, "file");
  const at = whole.indexOf("\n\n", HEADER.length + 1);
  if (!whole.startsWith(`${HEADER}\n`) || at < 0) {
    throw new FormError("this is no proof file: its first line is missing or it has no checkpoint");
  }
  const lines = whole.slice(HEADER.length + 1, at).split("\n");
  let extra = null;
  if (lines[0].startsWith("extra ")) {
    const line = lines.shift();
    if (line.length >= MAX_LINE) throw new FormError("the extra line is too long");
    extra = fromBase64(line.slice(6), "extra");
    if (extra.length === 0) throw new FormError("the extra line is empty");
  }
  if (!lines.length || !lines[0].startsWith("index ")) throw new FormError("no index line");
  const index = fromDecimal(lines.shift().slice(6), MAX_TREE_SIZE - 1n, "the index");
  if (lines.length > MAX_PROOF_HASHES) throw new FormError("the proof has too many hashes");
  const hashes = lines.map((line) => fromBase64(line, "a hash of the proof"));
  if (hashes.some((hash) => hash.length !== 32)) throw new FormError("a hash has 32 bytes");
  const checkpoint = encode(whole.slice(at + 2));
  decodeNote(checkpoint);
  return { index, hashes, checkpoint, extra };
}
