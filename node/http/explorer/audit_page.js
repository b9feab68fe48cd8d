// For those who are entitled: operations opened by files or by a signed question, each checked here;
// one secret's life; sessions with their evidence explained.

import * as data from "./audit_data.js";
import { FormError, fromHex } from "./bytes.js";
import { endedBy, kindOf, reasonOf, subjectOf, versionOf } from "./describe.js";
import { code, count, facts, fault, fill, h, moment, table } from "./dom.js";
import { verdictRows } from "./evidence_words.js";
import { filePicker } from "./picker.js";
import { network } from "./pinned.js";
import { askSigned, askWithWallet, walletAccount } from "./query.js";
import { openedSection } from "./receipt_page.js";
import { basis, mark } from "./verdicts.js";

const MAX_ROWS = 500;
const COLUMNS = ["Entry", "Time", "Who", "What", "About", "Version", "Outcome", "Proof"];

/** Show the page in `main`; `wanted` is what to look for. */
export async function showAudit(main, _life, wanted) {
  const results = h("div", { "aria-live": "polite" });
  const said = h("div", { role: "status" });
  const search = h("input", { type: "search", id: "filter", value: wanted, autocomplete: "off",
    placeholder: "collection/name, session, measurement, platform, DENIED" });
  const view = { results, said, search };
  search.addEventListener("input", () => showRecords(view));
  const clear = h("button", { type: "button", onclick: () => {
    data.clear();
    fill(said);
    showRecords(view);
  } }, "Forget everything");
  fill(main, h("h1", {}, "Audit"),
    h("p", {}, "The public log holds no names. What you are entitled to see is opened here, checked in " +
      "your browser, and kept only while this page is open."),
    sourcesSection(view), said,
    h("div", { class: "bar" }, h("label", { for: "filter" }, "Look for"), search, clear), results);
  await showRecords(view);
}

function sourcesSection(view) {
  const files = filePicker("Receipts, or a file of sealedger audit export", async (chosen) => {
    for (const file of chosen) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      await taking(view, file.name, async () => data.takeFile(bytes, await network()));
    }
  }, { many: true });
  return h("section", { class: "sources" }, h("h2", {}, "Open operations"),
    files, walletForm(view), pasteForm(view));
}

function walletForm(view) {
  if (!globalThis.ethereum) {
    return h("p", { class: "about" }, "No wallet in this browser: ask with the command line " +
      "(sealedger audit export) and give its file here.");
  }
  const collection = field("collection", "Collection (empty: all that you may see)");
  const session = field("session", "Session (empty: all)");
  const from = field("from", "From entry", "0");
  const button = h("button", { type: "submit" }, "Sign with the wallet and ask");
  const form = h("form", {}, collection, session, from, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const value = (one) => one.querySelector("input").value.trim();
    await taking(view, "the node's answer", async () => {
      const question = {
        networkId: (await network()).networkId,
        account: await walletAccount(),
        timeMs: Date.now(),
        fromIndex: Number(value(from) || 0),
        collection: nameOf(value(collection)),
        session: fromHex(value(session)),
      };
      const answer = await askWithWallet(question);
      if (answer.more) from.querySelector("input").value = String(answer.next_index);
      const found = await data.takeAnswer(answer, await network());
      if (answer.more) found.bad.push(`there is more: ask again from entry ${answer.next_index}`);
      return found;
    });
    button.disabled = false;
  });
  return h("details", { open: true }, h("summary", {}, "Ask with your wallet (EIP-712)"), form);
}

function nameOf(text) {
  if (!/^[A-Za-z0-9._/-]{0,200}$/.test(text)) throw new FormError("this is no collection's name");
  return text;
}

function pasteForm(view) {
  const area = h("textarea", { id: "pasted", rows: 4, spellcheck: "false" });
  const form = h("form", {},
    h("label", { for: "pasted" }, "A signed question {\"query\", \"signature\"}, or a node's answer to one"),
    area, h("button", { type: "submit" }, "Take it"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await taking(view, "what was pasted", async () => {
      const found = parse(area.value);
      const answer = "query" in found ? await askSigned(found) : found;
      return data.takeAnswer(answer, await network());
    });
  });
  return h("details", {}, h("summary", {}, "Paste a signed question or an answer"), form);
}

function parse(pasted) {
  try {
    return Object(JSON.parse(pasted));
  } catch {
    throw new FormError("this is no JSON");
  }
}

async function taking(view, what, take) {
  fill(view.said, h("p", {}, `Checking ${what} …`));
  try {
    const { taken, bad } = await take();
    fill(view.said,
      h("p", {}, mark(taken ? "good" : "unknown", `${count(taken)} operations of ${what} are opened`)),
      bad.length === 0 ? null : h("div", { class: "verdict bad", "data-verdict": "bad" },
        h("p", {}, mark("bad", "Not believed:")),
        h("ul", {}, bad.slice(0, 50).map((why) => h("li", {}, why)))));
  } catch (error) {
    fill(view.said, fault(error));
  }
  await showRecords(view);
}

async function showRecords(view) {
  const wanted = view.search.value.trim().toLowerCase();
  const records = data.all();
  const found = records.filter((one) => data.wordsOf(one).includes(wanted));
  if (records.length === 0) {
    fill(view.results, h("p", { class: "about" }, "Nothing is opened yet."));
    return;
  }
  const used = await network();
  const shown = found.slice(-MAX_ROWS);
  const title = wanted ? `What is opened about ${wanted}` : "Everything that is opened";
  fill(view.results,
    h("h2", {}, title, " ", h("small", {}, `${count(found.length)} of ${count(records.length)}`)),
    h("p", { class: "about" }, basis(used)),
    shown.length < found.length ? h("p", {}, `The last ${MAX_ROWS} are shown.`) : null,
    recordTable(title, shown, view));
}

function recordTable(title, records, view) {
  return table(title, COLUMNS, records.map((record) => ({ cells: cellsOf(record, view) })));
}

function cellsOf(record, view) {
  const { collection, name } = subjectOf(record.operation, record.outcome);
  const reason = reasonOf(record.outcome);
  const subject = name ? `${collection}/${name}` : collection;
  const spelled = record.operation.kind === "vote_platform" ? [code(subject, true)]
    : subject.split("/").flatMap((part, at) => at ? ["/", h("wbr"), part] : [part]);
  const life = h("button", { type: "button", class: "link", onclick: () => {
    view.search.value = subject;
    showRecords(view);
  } }, spelled);
  const session = endedBy(record.operation);
  const ended = session && [" ", h("a", { href: `#/session/${session}` }, code(session, true))];
  return [
    h("a", { href: `#/entry/${record.index}` }, `${count(record.index)}.${record.position}`),
    moment(record.timeMs), whoOf(record), [kindOf(record.operation), ended],
    subject === "" ? "" : view ? life : spelled, versionOf(record.outcome),
    h("span", { class: `outcome ${reason.isDone ? "done" : "refused"}`, title: reason.says },
      reason.isDone ? "done" : reason.name),
    mark(record.state, record.state === "good" ? "proven" : undefined),
  ];
}

function whoOf(record) {
  const actor = data.actorOf(record);
  if (actor === null) return [`${record.signer.kind} `, code(record.signer.id, true)];
  const ran = data.codeOf(record);
  return [
    h("a", { href: `#/session/${actor}` }, "session ", code(actor, true)),
    ran === null
      ? h("div", { class: "about" }, "its evidence is not among what is opened")
      : h("div", { class: "about" }, ran.line, ran.isSame ? null :
        mark("bad", "the outcome names another identity")),
  ];
}

/** Show a session in `main`: its evidence field by field, and what it did. */
export async function showSession(main, id) {
  const session = data.sessionOf(id);
  const did = data.all().filter((one) => data.actorOf(one) === id);
  fill(main, h("h1", {}, "Session"), h("p", {}, code(id)),
    session === undefined
      ? h("p", { class: "fault" }, "Its opening is not among what is opened. Open it on the ",
        h("a", { href: "#/audit" }, "Audit page"), " first.")
      : h("section", {},
        h("h2", {}, "Its evidence ", mark(session.state, session.state === "good" ? "proven" : undefined)),
        h("p", { class: "about" }, `What was concluded from it stands in entry ${session.record.index}. `,
          basis(await network())),
        facts(verdictRows(session.verdict)),
        h("details", {}, h("summary", {}, "The operation that opened it"), openedSection(session.record))),
    h("section", {}, h("h2", {}, "What it did"), did.length === 0
      ? h("p", { class: "about" }, "Nothing that is opened.")
      : recordTable("What the session did", did, null)));
}

function field(id, label, value = "") {
  return h("div", { class: "field" }, h("label", { for: `ask-${id}` }, label),
    h("input", { id: `ask-${id}`, type: "text", value, autocomplete: "off", spellcheck: "false" }));
}
