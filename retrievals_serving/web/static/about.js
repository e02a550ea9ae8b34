// @ts-check
/** @module The page about the collection and the search, with the figures of the release. */

import { getJson } from "./api.js";
import { counted, find, go, h } from "./dom.js";
import { messageOf, notice } from "./messages.js";

const DAY = new Intl.DateTimeFormat("en", { dateStyle: "long" });
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(share < 1 ? 1 : 0)} %`;

/** @param {object} route @param {import("./app.js").Visit} visit */
export async function show(route, visit) {
  const article = find("about");
  const { signal } = visit;
  try {
    fill(article, await getJson("/stats", signal), await getJson("/health", signal));
  } catch (problem) {
    if (signal.aborted) return;
    article.replaceChildren(h("h1", { tabIndex: -1 }, "About"), notice(messageOf(/** @type {any} */ (problem)), () => show(route, visit)));
  }
}

/** @param {any} stats @param {any} health @returns {[string, string][]} */
function factsOf(stats, health) {
  const missing = Object.values(stats.missing).reduce((sum, count) => sum + count, 0);
  return [
    ["Works", stats.works.toLocaleString("en")],
    ["Records as of", DAY.format(new Date(stats.as_of))],
    ["Release", `${stats.release}, made on ${DAY.format(new Date(stats.created_at))}`],
    ["Not in it yet", missing ? counted(missing, "work") : "none"],
    ["Embedder", `${stats.embedder}, ${stats.dimension} numbers a picture`],
    ["Reranker", health.reranker ?? "none"],
    ["Index", stats.index.kind],
  ];
}

/** What the index was measured to find. @param {any[]} measures */
function tableOf(measures) {
  const cells = (/** @type {any} */ measure) => [
    measure.queries === "texts" ? "words" : "pictures",
    measure.kept === 1 ? "the whole collection" : `${percent(measure.kept)} of it, by a filter`,
    percent(measure.recall[10]), percent(measure.recall[80]), `${measure.p50_ms.toFixed(2)} ms`,
  ];
  const heads = ["Asked with", "Among", "Best 10 found", "Best 80 found", "Median time"];
  return h("div", { className: "scrolled", tabIndex: 0, role: "region", "aria-label": "Measures of the index" }, h("table", {},
    h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...measures.map((measure) => h("tr", {}, ...cells(measure).map((text) => h("td", {}, text)))))));
}

/** @param {HTMLElement} article @param {any} stats @param {any} health */
function fill(article, stats, health) {
  const { measures, machine } = stats.index.certificate;
  article.replaceChildren(
    h("h1", { tabIndex: -1 }, "About this search"),
    h("p", { className: "lead" }, "Records say who made a work, when, and of what. They seldom say what it feels like to stand before it. This search looks at the pictures themselves."),
    h("h2", {}, "How it works"),
    h("p", {}, "A model that was taught on pictures and words together has looked at every work once, and noted what it shows as a list of numbers. Your words become numbers in the same way; the works whose numbers point in nearly the same direction are what you see first. Then a second model looks at the best of them again, each beside your words, and puts them in order: that is when pictures change places."),
    h("p", {}, "Say it as you would to a friend: what is there, the light, the weather, the mood. A word with a minus before it, as in ", h("em", {}, "red painting -blue"), ", is kept out. A picture of your own can be dropped anywhere on this page; it is looked at, and not kept."),
    h("p", {}, "On ", go("/map", {}, "the map"), " every work has a place beside those it looks like."),
    h("h2", {}, "The collection"),
    h("dl", {}, ...factsOf(stats, health).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("h2", {}, "What the index was measured to find"),
    h("p", {}, "Before a release is served, its index is asked what an exhaustive comparison is asked, and must find at least nine in ten of the same works."),
    tableOf(measures),
    h("p", { className: "small" }, `Times of one search of the index alone, on ${machine}.`),
  );
}
