// Reads lines `form hex` and prints, for each, whether the explorer's reader takes it.

import { readFileSync } from "node:fs";

import { unhex } from "./vectors.mjs";
import { FormError } from "../../node/http/explorer/bytes.js";
import * as operations from "../../node/http/explorer/forms.js";
import * as verdicts from "../../node/http/explorer/verdict_forms.js";
import { decode } from "../../node/http/explorer/wire.js";

const forms = { ...operations, ...verdicts };

const said = [];
for (const line of readFileSync(0, "utf8").trim().split("\n")) {
  const [form, text = ""] = line.split(" ");
  try {
    decode(forms[form], unhex(text));
    said.push("yes");
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    said.push("no");
  }
}
console.log(said.join("\n"));
