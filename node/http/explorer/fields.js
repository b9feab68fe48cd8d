// The words that messages are described with, and the rules that several of them share.

import { FormError, hex } from "./bytes.js";

const SEGMENT = /^[A-Za-z0-9._-]+$/;

export const u64 = (name, more = {}) => ({ name, type: "u64", ...more });
export const u32 = (name) => ({ name, type: "u32" });
export const bool = (name) => ({ name, type: "bool" });
export const word = (name, more = {}) => ({ name, type: "string", ...more });
export const bytes = (name, size, more = {}) => ({ name, type: "bytes", size, ...more });
export const number = (name) => ({ name, type: "enum" });
export const part = (name, message, more = {}) => ({ name, type: "message", message, ...more });
export const one = (group, name, message) => part(name, message, { group });

/** FormError that says `what` unless it holds. */
export function need(holds, what) {
  if (!holds) throw new FormError(what);
}

/** Whether it is a name of a collection, a secret or a release. */
export function isName(name) {
  const segments = name.split("/");
  const are = segments.every((one) => SEGMENT.test(one) && one !== "." && one !== "..");
  return name.length <= 200 && are;
}

/** Checks that these fields of a message are names. */
export function named(...fields) {
  return (message) => {
    for (const field of fields) need(isName(message[field]), `${field} is no name`);
  };
}

/** Checks that byte strings grow: sorted, without repeats. */
export function growing(many, what) {
  const spelled = many.map(hex);
  need(spelled.every((found, at) => at === 0 || spelled[at - 1] < found), `${what} are not sorted`);
}
