// Bytes and their spellings: hex, base64, decimal, UTF-8. One spelling per value; all else throws.

/** What is thrown for bytes that are not in the one form that they may have. */
export class FormError extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const toUtf8 = new TextEncoder();
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Lower-case hex of bytes. */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of hex of either case; FormError for anything else. */
export function fromHex(text) {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new FormError("not hex");
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}

/** Standard base64 with padding (RFC 4648 section 4). */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** The bytes of canonical base64; FormError naming `what` for anything else. */
export function fromBase64(text, what) {
  if (typeof text !== "string" || !BASE64.test(text)) throw new FormError(`${what} is not base64`);
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (base64(bytes) !== text) throw new FormError(`${what} is not canonical base64`);
  return bytes;
}

/** The BigInt of a decimal number without leading zeros, 0 to `maximum`; FormError if it is none. */
export function fromDecimal(text, maximum, what) {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text)) {
    throw new FormError(`${what} is not a decimal number in its shortest form`);
  }
  const number = BigInt(text);
  if (number > maximum) throw new FormError(`${what} is larger than ${maximum}`);
  return number;
}

/** The text of UTF-8 bytes; FormError naming `what` if they are none. */
export function text(bytes, what) {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FormError(`${what} is not UTF-8`);
  }
}

/** The UTF-8 bytes of a text. */
export function encode(string) {
  return toUtf8.encode(string);
}

/** All parts, one after the other. */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Whether two byte strings are the same. */
export function equal(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** Pieces of `width` bytes; FormError naming `what` if the length is no multiple of it. */
export function split(bytes, width, what) {
  if (bytes.length % width !== 0) throw new FormError(`${what}: ${bytes.length} bytes`);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += width) pieces.push(bytes.subarray(at, at + width));
  return pieces;
}
