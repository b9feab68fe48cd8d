// A receipt, checked in the browser: it never leaves it.

import { hex } from "./bytes.js";
import { checkReceipt, verdict } from "./checks.js";
import { operationRows, outcomeRows, signerOf } from "./describe.js";
import { code, count, facts, fault, fill, h, moment } from "./dom.js";
import { collateralRows, verdictRows } from "./evidence_words.js";
import { filePicker } from "./picker.js";
import { network } from "./pinned.js";
import { collateralVerdictOf, verdictOf } from "./verdict_forms.js";
import { verdictCard } from "./verdicts.js";

const WORDS = {
  good: "This receipt is valid",
  bad: "This receipt is NOT valid",
  unknown: "This receipt was not checked in full",
};

/** Show the page in `main`. */
export function showReceipt(main) {
  const result = h("div", { "aria-live": "polite" });
  const picker = filePicker("Receipt file", async ([file]) => {
    fill(result, h("p", {}, `Checking ${file.name} …`));
    try {
      fill(result, await receiptCard(file.name, new Uint8Array(await file.arrayBuffer())));
    } catch (error) {
      fill(result, fault(error));
    }
  });
  fill(main, h("h1", {}, "Check a receipt"),
    h("p", {}, "A receipt proves that an operation and its outcome stand on the ledger. It is checked " +
      "here, in your browser, and sent nowhere."), picker, result);
}

async function receiptCard(name, bytes) {
  const pinned = await network();
  const found = await checkReceipt(bytes, pinned);
  const card = verdictCard(found.steps, WORDS, pinned);
  if (verdict(found.steps) === "bad") return [h("h2", {}, name), card]; // nothing in it happened
  const { kind, id } = signerOf(found.body);
  return [
    h("h2", {}, name), card,
    facts([
      ["Entry", h("a", { href: `#/entry/${found.index}` }, count(found.index))],
      ["Block height", count(found.leaf.transaction.height)],
      ["Time", moment(found.leaf.transaction.time_ms)],
      ["Signed by", [`${kind} `, code(id)]],
      ["Leaf hash", code(hex(found.hash))],
    ]),
    found.opened.map(openedSection),
  ];
}

/** One opened operation with its outcome, and what was judged of its evidence or collateral. */
export function openedSection({ position, operation, outcome }) {
  return h("section", { class: "opened" },
    h("h3", {}, `Operation ${position}`),
    h("h4", {}, "What was asked"), facts(operationRows(operation)),
    h("h4", {}, "What was answered"), facts(outcomeRows(outcome)),
    judgedSection(outcome));
}

function judgedSection(outcome) {
  if (outcome.detail === "session_opened") {
    const judged = verdictOf(outcome.session_opened.verdict);
    return judged && [h("h4", {}, "Its evidence"), facts(verdictRows(judged))];
  }
  if (outcome.detail !== "collateral_updated") return null;
  const judged = collateralVerdictOf(outcome.collateral_updated.verdict);
  return judged && [h("h4", {}, "The collateral"), facts(collateralRows(judged))];
}
