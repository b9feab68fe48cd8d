// How a verdict looks: words and a sign first, colour second.

import { verdict } from "./checks.js";
import { h } from "./dom.js";

const SIGNS = { good: "\u2713", bad: "\u2717", unknown: "?" };
const STATES = { good: "holds", bad: "does not hold", unknown: "not checked" };

/** All steps with a verdict above them. `words`: what to say when good, bad, unknown. */
export function verdictCard(steps, words, network) {
  const state = verdict(steps);
  return h("section", { class: `verdict ${state}`, "data-verdict": state, role: "status" },
    h("h2", {}, sign(state), " ", words[state]),
    state === "good" ? h("p", { class: "about" }, basis(network)) : null,
    h("ol", { class: "steps" }, steps.map(stepRow)));
}

/** One small mark of a verdict, with its word for those who do not see it. */
export function mark(state, word = STATES[state]) {
  return h("span", { class: `mark ${state}`, "data-verdict": state }, sign(state), " ", word);
}

/** Against what a good verdict was reached, and what it is worth. */
export function basis(network) {
  const source = network.isPinned
    ? `Checked against the network file that you gave (network ${network.name}).`
    : "Checked against the keys that this node itself names. To check against yours, give your " +
      "network file on the Node page.";
  return network.isDevelopment
    ? `${source} This is a development network: whoever runs it can forge everything.`
    : source;
}

function stepRow(step) {
  return h("li", { class: step.state, "data-step": step.state },
    sign(step.state), " ", h("span", { class: "name" }, step.name),
    h("span", { class: "hidden" }, `: ${STATES[step.state]}. `),
    h("span", { class: "detail" }, step.detail));
}

function sign(state) {
  return h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state]);
}
