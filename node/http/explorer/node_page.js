// The node: is it well, which network is it of, and against which keys does this page check.

import { askJson } from "./api.js";
import { hex } from "./bytes.js";
import * as ed25519 from "./ed25519.js";
import { code, count, facts, fault, fill, h, moment, table } from "./dom.js";
import { filePicker } from "./picker.js";
import { network, pin, unpin } from "./pinned.js";
import { mark } from "./verdicts.js";

/** Show the page in `main`. */
export async function showNode(main) {
  const pinned = h("div", { "aria-live": "polite" });
  const [health, status, claims] = await Promise.all([
    healthSection(), askJson("/v1/status"), askJson("/v1/network"),
  ]);
  fill(main, h("h1", {}, "The node"), health,
    h("section", {}, h("h2", {}, "Where its log stands"), facts([
      ["Entries", count(status.entries)], ["Block height", count(status.height)],
      ["Block time", moment(status.time_ms)], ["Key epoch", count(status.epoch)],
      ["Trust document", `version ${status.trust_version}`],
      ["Rules", `version ${status.rules_version}`], ["Program", `version ${status.version}`],
    ])),
    h("section", {}, h("h2", {}, "Which network it says it is of"), facts([
      ["Name", claims.name], ["Profile", claims.profile], ["Network id", code(claims.network_id)],
      ["Log", claims.origin], ["Log key", code(claims.vkey)],
      ["Genesis", moment(claims.genesis_time_ms)],
    ])), pinned);
  await showPinned(pinned);
}

async function healthSection() {
  try {
    const found = await askJson("/readyz", { alsoOk: [503] });
    const rows = Object.entries(found.checks).map(([name, { ok, reason }]) => ({
      cells: [name.replaceAll("_", " "), said(ok, "fine", "not fine"), reason],
    }));
    return h("section", {}, h("h2", {}, "Health"),
      h("p", {}, "The node says that it is ", said(found.ready, "ready for clients", "not ready"), "."),
      table("What readiness needs", ["Condition", "State", "Reason"], rows));
  } catch (error) {
    return h("section", {}, h("h2", {}, "Health"), fault(error));
  }
}

/** What the node says of itself: no tick, for nothing was checked. */
function said(isGood, yes, no) {
  return h("strong", { class: `outcome ${isGood ? "done" : "refused"}` }, isGood ? yes : no);
}

async function showPinned(section) {
  const used = await network();
  const message = h("div", { role: "status" });
  const picker = filePicker("Your network file (network.toml)", async ([file]) => {
    try {
      await pin(await file.text());
      await showPinned(section);
    } catch (error) {
      fill(message, fault(error));
    }
  });
  const back = h("button", { type: "button", onclick: async () => {
    unpin();
    await showPinned(section);
  } }, "Use the node's own file again");
  const canVerify = await ed25519.canVerify();
  fill(section, h("h2", {}, "What this page checks against"),
    h("p", {}, used.isPinned
      ? h("strong", {}, "the network file that you gave")
      : mark("unknown", "the network file that this node serves: a node that lies serves its own")),
    facts([
      ["Network id", code(hex(used.networkId))], ["Log", used.origin],
      ["Quorum", `${used.rule.threshold} of ${new Set(used.rule.cosigners.map((one) => one.operator)).size} operators`],
      ["Cosigners", used.rule.cosigners.map(({ key, operator }) => `${key.name} (${operator})`).join(", ")],
      ["Witnesses", `${used.rule.witnessThreshold} of ${used.rule.witnesses.length}`],
      ["Signatures", canVerify ? "this browser checks Ed25519"
        : mark("unknown", "this browser has no Ed25519: nothing will be called valid")],
    ]),
    picker, used.isPinned ? back : null, message,
    h("p", { class: "about" }, "This page itself comes from the node. Who doubts the node checks with " +
      "the command line: sealedger receipt verify, sealedger audit verify."));
}
