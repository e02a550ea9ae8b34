// @ts-check
/** @module The view of one work: its picture, its record, why it was found, and works like it. */

import { knownRecord, record, searchFor, similar } from "./answers.js";
import { counted, find, go, h } from "./dom.js";
import { ordinal } from "./filters.js";
import { Grid } from "./grid.js";
import { messageOf, notice } from "./messages.js";
import { current, fetchMore } from "./results.js";
import { addressOf, workAddress } from "./route.js";
import { Viewer } from "./zoom.js";

const PAGES = [16, 32, 64, 100]; // works whose conditions are judged at once
const AHEAD = 8; // works before the last one, from where on more is fetched

/** @param {{id: string}} route @param {import("./app.js").Visit} visit */
export async function show(route, visit) {
  const { id } = route;
  const { setTitle, signal } = visit;
  const article = find("work");
  try {
    const metadata = knownRecord(id) ?? (article.replaceChildren(h("p", { className: "waiting" }, "Fetching the work…")), await record(id, signal));
    setTitle(metadata.title);
    article.replaceChildren(trail(id), new Viewer(metadata).element, label(id, metadata), ...reasons(id, signal), likeIt(id, signal));
  } catch (error) {
    if (signal.aborted) return;
    const problem = /** @type {import("./api.js").Problem} */ (error);
    setTitle("Not to be seen");
    const message = problem.status === 404
      ? { text: "There is no such work in the collection, or none any more." } : messageOf(problem);
    article.replaceChildren(h("h1", { id: "title", tabIndex: -1 }, "Not to be seen"), notice(message, () => show(route, visit)), go("/", {}, "To the search"));
  }
}

/** Where the work stands in the answer that it was opened from. @param {string} id */
function placeOf(id) {
  const { search, found } = current();
  const place = found ? found.results.findIndex((result) => result.id === id) : -1;
  return search && found && place >= 0 ? { search, found, place, result: found.results[place] } : null;
}

/** @param {string} id */
function trail(id) {
  const place = placeOf(id);
  if (!place) return h("p", { className: "trail" }, go("/", {}, "Search the collection"));
  const { search, found, place: at } = place;
  if (at >= found.results.length - AHEAD) fetchMore();
  const to = (/** @type {number} */ next, /** @type {string} */ text, /** @type {string} */ rel) =>
    found.results[next] ? go(workAddress(found.results[next].id), { rel, "data-replace": "" }, text) : null;
  return h("nav", { className: "trail", "aria-label": "The answer" },
    go(addressOf(search), { "data-back": "", "data-picture": search.picture }, "← ", h("q", {}, search.query || "your picture")),
    h("span", {}, to(at - 1, "Previous", "prev"), to(at + 1, "Next", "next")));
}

/** The record, as the label beside a picture has it. @param {string} id @param {import("./answers.js").Metadata} metadata */
function label(id, metadata) {
  const rows = [["Date", metadata.date], ["Medium", metadata.medium], ["Kind", metadata.classification], ["Credit", metadata.credit]];
  const isWeb = /^https?:\/\//.test(metadata.artwork_url);
  return h("div", { className: "label" },
    h("h1", { id: "title", tabIndex: -1 }, metadata.title),
    metadata.artist ? h("p", { className: "maker" }, metadata.artist) : null,
    metadata.description ? h("p", { className: "seen" }, metadata.description) : null,
    h("dl", {}, ...rows.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("p", { className: "links" },
      isWeb ? h("a", { href: metadata.artwork_url, rel: "noopener", target: "_blank" }, "At the museum ", h("span", { "aria-hidden": "true" }, "↗"), h("span", { className: "unseen" }, "(a window of its own)")) : null,
      go(`/map?work=${encodeURIComponent(id)}`, {}, "On the map")));
}

/** Why the work was found. @param {string} id @param {AbortSignal} signal */
function reasons(id, signal) {
  const place = placeOf(id);
  if (!place) return [];
  const { search, found, result } = place;
  const bar = (/** @type {string} */ name, /** @type {number} */ value) => h("div", { className: "score" },
    h("span", {}, name), h("meter", { min: 0, max: 1, value, "aria-label": name }), h("span", {}, value.toFixed(2)));
  const conditions = h("div", { className: "conditions", role: "status" });
  if (search.query && search.picture === undefined && result.rerank_score !== null && place.place < PAGES[PAGES.length - 1]) {
    conditions.append(h("button", { type: "button", onclick: () => explain(search, place.place, id, conditions, signal) }, "Check it phrase by phrase"));
  }
  return [h("section", { className: "why", "aria-labelledby": "why" },
    h("h2", { id: "why" }, "Why it was found"),
    h("p", {}, `${ordinal(place.place + 1)} of ${counted(found.window, "work")} for `, h("q", {}, search.query || "your picture"), "."),
    found.vector.length ? bar(`Nearness of the picture to ${search.picture === undefined ? "your words" : "yours"}`, result.vector_score) : null,
    result.rerank_score === null ? null : bar("What a closer look gave", result.rerank_score),
    conditions)];
}

/**
 * Fill in which conditions of the query the work meets.
 * @param {import("./route.js").Search} search @param {number} place @param {string} id
 * @param {HTMLElement} list @param {AbortSignal} signal
 */
async function explain(search, place, id, list, signal) {
  list.tabIndex = -1;
  list.focus(); // the button that had it goes
  list.replaceChildren("Looking once more…");
  try {
    await searchFor(search, signal, ({ results }, isFinal) => {
      if (!isFinal) return;
      const told = (results.find((result) => result.id === id)?.conditions ?? []).filter(({ met }) => met !== null);
      list.replaceChildren(...(told.length ? [h("ul", {}, ...told.map(condition))] : ["There was no time to check them."]));
    }, { explain: "conditions", top_k: PAGES.find((size) => size > place) });
  } catch (problem) {
    if (!signal.aborted) list.replaceChildren(messageOf(/** @type {any} */ (problem)).text);
  }
}

/** @param {{condition: string, negative: boolean, met: boolean}} verdict */
const condition = ({ condition: text, negative, met }) => h("li", { className: met ? "met" : "unmet" },
  h("span", { className: "unseen" }, met ? "there: " : "not there: "), negative ? `without ${text}` : text);

/** @param {string} id @param {AbortSignal} signal */
function likeIt(id, signal) {
  const grid = new Grid("Works like it", { rows: 4, isDense: true });
  const section = h("section", { className: "like", "aria-labelledby": "like" }, h("h2", { id: "like" }, "More like this"), grid.element);
  similar(id, signal).then(({ results }) => grid.show(results, true)).catch((error) => {
    if (!signal.aborted) section.append(h("p", { className: "notice" }, messageOf(error).text));
  });
  return section;
}
