// A strict reader of protobuf (proto3): only the canonical encoding of known fields is accepted.
//
// 1. Fields stand in the order of their numbers, each once (repeated ones excepted).
// 2. Varints are as short as they can be and within the field's width.
// 3. No field holds its default, but optional ones that are set, and members of lists. A list of
//    numbers is packed into one field.
// 4. No unknown field, no member of a group beside another one, nothing after the end.
// So whatever is read has exactly one spelling. Numbers of 64 bits are BigInts.

import { FormError, text } from "./bytes.js";

const VARINT = 0;
const LENGTH = 2;
const WIDTHS = { u64: (1n << 64n) - 1n, u32: (1n << 32n) - 1n, enum: (1n << 31n) - 1n, bool: 1n };
const DEFAULTS = { u64: 0n, u32: 0, enum: 0, bool: false, string: "" };

/**
 * A message's description. `fields`: number -> {name, type, repeated, packed, optional, group,
 * message, size}; `size` (or one of several sizes) is what bytes must have; `check` may throw FormError.
 */
export function schema(name, limit, fields, check = () => {}) {
  return { name, limit, fields: new Map(Object.entries(fields).map(number)), check };
}

function number([key, field]) {
  return [Number(key), field];
}

/** The fields of a message; absent ones have their defaults. FormError says what is wrong. */
export function decode(form, bytes) {
  if (bytes.length > form.limit) {
    throw new FormError(`${form.name}: ${bytes.length} bytes, at most ${form.limit}`);
  }
  const message = blank(form);
  const reader = { bytes, at: 0, name: form.name };
  let last = 0;
  while (reader.at < bytes.length) {
    const tag = varint(reader, WIDTHS.u32);
    const [at, wire] = [Number(tag >> 3n), Number(tag & 7n)];
    const field = form.fields.get(at);
    if (field === undefined) throw new FormError(`${form.name}: unknown field ${at}`);
    if (at < last || (at === last && (!field.repeated || field.packed))) {
      throw new FormError(`${form.name}: ${field.name} is out of order`);
    }
    last = at;
    store(form, message, field, value(reader, field, wire));
  }
  verify(form, message);
  return message;
}

function blank(form) {
  const message = { raw: {} };
  for (const field of form.fields.values()) {
    if (field.repeated) message[field.name] = [];
    else if (field.optional || field.type === "message") message[field.name] = null;
    else if (field.type === "bytes") message[field.name] = new Uint8Array();
    else message[field.name] = DEFAULTS[field.type];
    if (field.group) message[field.group] = null;
  }
  return message;
}

function store(form, message, field, found) {
  const where = `${form.name}: ${field.name}`;
  const kept = field.type === "message" ? decode(field.message(), found) : found;
  if (field.type === "message") message.raw[field.name] = found;
  if (field.repeated) {
    message[field.name].push(...(field.packed ? kept : [kept]));
    return;
  }
  if (isDefault(field, kept)) throw new FormError(`${where} holds its default`);
  if (field.group) {
    if (message[field.group] !== null) throw new FormError(`${where} beside another kind`);
    message[field.group] = field.name;
  }
  message[field.name] = kept;
}

function isDefault(field, kept) {
  if (field.optional || field.type === "message") return false;
  return field.type === "bytes" ? kept.length === 0 : kept === DEFAULTS[field.type];
}

function value(reader, field, wire) {
  const where = `${reader.name}: ${field.name}`;
  if (wire !== (field.type in WIDTHS && !field.packed ? VARINT : LENGTH)) {
    throw new FormError(`${where} has another type`);
  }
  if (wire === VARINT) return numberOf(reader, field);
  const length = Number(varint(reader, WIDTHS.enum));
  const stop = reader.at + length;
  if (stop > reader.bytes.length) throw new FormError(`${where} is cut off`);
  const found = reader.bytes.subarray(reader.at, stop);
  reader.at = stop;
  if (field.packed) return packed(found, field, where);
  return field.type === "string" ? text(found, where) : found;
}

function numberOf(reader, field) {
  const found = varint(reader, WIDTHS[field.type]);
  if (field.type === "u64") return found;
  return field.type === "bool" ? found === 1n : Number(found);
}

function packed(found, field, where) {
  if (found.length === 0) throw new FormError(`${where} holds its default`);
  const reader = { bytes: found, at: 0, name: where };
  const numbers = [];
  while (reader.at < found.length) numbers.push(numberOf(reader, field));
  return numbers;
}

function varint(reader, maximum) {
  let found = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at];
    if (byte === undefined) throw new FormError(`${reader.name} is cut off`);
    reader.at += 1;
    found |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (byte === 0 && shift > 0n) throw new FormError(`${reader.name}: a number is too long`);
      if (found > maximum) throw new FormError(`${reader.name}: a number is too large`);
      return found;
    }
  }
  throw new FormError(`${reader.name}: a number is too long`);
}

function verify(form, message) {
  for (const field of form.fields.values()) {
    if (field.size === undefined) continue;
    const sizes = [field.size].flat();
    for (const found of [message[field.name]].flat()) {
      if (!sizes.includes(found.length)) {
        throw new FormError(`${form.name}: ${field.name} has ${found.length} bytes`);
      }
    }
  }
  form.check(message);
}

// -- writing: what a query needs ---------------------------------------------------------------

/** A field that holds a number; nothing for 0. */
export function numberField(at, found) {
  return BigInt(found) === 0n ? new Uint8Array() : join(at, VARINT, writeVarint(BigInt(found)));
}

/** A field that holds bytes or a message; nothing for no bytes unless `always`. */
export function bytesField(at, found, always = false) {
  if (found.length === 0 && !always) return new Uint8Array();
  return join(at, LENGTH, [...writeVarint(BigInt(found.length)), ...found]);
}

function join(at, wire, rest) {
  return Uint8Array.from([...writeVarint(BigInt(at * 8 + wire)), ...rest]);
}

function writeVarint(found) {
  const bytes = [];
  let rest = found;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}
