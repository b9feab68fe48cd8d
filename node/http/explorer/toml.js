// A reader of the part of TOML that network files are written in: tables, lists of tables, strings,
// whole numbers, booleans and lists of those. Everything else is refused, not guessed.

import { FormError } from "./bytes.js";

const ESCAPES = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\" };
const KEY = /[A-Za-z0-9_-]+/y;

/** The table of a text; FormError with the line for anything that this reader does not know. */
export function parseToml(source) {
  const reader = { source, at: 0 };
  const root = Object.create(null);
  let table = root;
  for (skip(reader, true); reader.at < source.length; skip(reader, true)) {
    if (source[reader.at] === "[") table = header(reader, root);
    else pair(reader, table);
    skip(reader, false);
    if (reader.at < source.length && !/[\r\n]/.test(source[reader.at])) fail(reader);
  }
  return root;
}

function header(reader, root) {
  const isList = reader.source.startsWith("[[", reader.at);
  reader.at += isList ? 2 : 1;
  const keys = [key(reader)];
  while (take(reader, ".")) keys.push(key(reader));
  if (!take(reader, isList ? "]]" : "]")) fail(reader);
  let table = root;
  for (const one of keys.slice(0, -1)) {
    table[one] ??= Object.create(null);
    table = Array.isArray(table[one]) ? table[one].at(-1) : table[one];
    if (typeof table !== "object") fail(reader);
  }
  const last = keys.at(-1);
  const fresh = Object.create(null);
  if (isList) {
    table[last] ??= [];
    if (!Array.isArray(table[last])) fail(reader);
    table[last].push(fresh);
  } else {
    if (last in table) fail(reader);
    table[last] = fresh;
  }
  return fresh;
}

function pair(reader, table) {
  const name = key(reader);
  skip(reader, false);
  if (name in table || !take(reader, "=")) fail(reader);
  skip(reader, false);
  table[name] = value(reader);
}

function key(reader) {
  KEY.lastIndex = reader.at;
  const found = KEY.exec(reader.source);
  if (found === null) fail(reader);
  reader.at = KEY.lastIndex;
  return found[0];
}

function value(reader) {
  if (reader.source.startsWith('"""', reader.at) || reader.source.startsWith("'''", reader.at)) {
    fail(reader);
  }
  if (take(reader, '"')) return string(reader);
  if (take(reader, "'")) return literal(reader);
  if (take(reader, "[")) return list(reader);
  if (take(reader, "true")) return true;
  if (take(reader, "false")) return false;
  const found = /^(?:0|[1-9][0-9]{0,14})(?![0-9._:eExob-])/.exec(reader.source.slice(reader.at));
  if (found === null) fail(reader);
  reader.at += found[0].length;
  return Number(found[0]);
}

function list(reader) {
  const found = [];
  for (skip(reader, true); !take(reader, "]"); skip(reader, true)) {
    found.push(value(reader));
    skip(reader, true);
    if (!take(reader, ",") && reader.source[reader.at] !== "]") fail(reader);
  }
  return found;
}

function string(reader) {
  let found = "";
  while (!take(reader, '"')) {
    const character = reader.source[reader.at];
    if (character === undefined || character < " ") fail(reader);
    reader.at += 1;
    found += character === "\\" ? escape(reader) : character;
  }
  return found;
}

function escape(reader) {
  const character = reader.source[reader.at];
  reader.at += 1;
  if (character in ESCAPES) return ESCAPES[character];
  const width = { u: 4, U: 8 }[character];
  const digits = reader.source.slice(reader.at, reader.at + (width ?? 0));
  if (!width || !/^[0-9a-fA-F]+$/.test(digits) || digits.length !== width) fail(reader);
  reader.at += width;
  const point = Number.parseInt(digits, 16);
  if (point > 0x10ffff) fail(reader);
  return String.fromCodePoint(point);
}

function literal(reader) {
  const stop = reader.source.indexOf("'", reader.at);
  const found = reader.source.slice(reader.at, stop);
  if (stop < 0 || /[\r\n]/.test(found)) fail(reader);
  reader.at = stop + 1;
  return found;
}

function take(reader, word) {
  if (!reader.source.startsWith(word, reader.at)) return false;
  reader.at += word.length;
  return true;
}

/** Step over spaces and comments, and over line ends too if `lines`. */
function skip(reader, lines) {
  const pattern = lines ? /(?:[ \t\r\n]|#[^\n]*)*/y : /(?:[ \t]|#[^\n]*)*/y;
  pattern.lastIndex = reader.at;
  pattern.exec(reader.source);
  reader.at = pattern.lastIndex;
}

function fail(reader) {
  const line = reader.source.slice(0, reader.at).split("\n").length;
  throw new FormError(`line ${line} is not spelled as in the network files that a node writes`);
}
