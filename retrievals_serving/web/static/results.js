// @ts-check
/** @module The view of an answer: what was asked, how it is narrowed, and the works, to the last. */

import { forget, keptAnswer, keyOf, more, searchFor } from "./answers.js";
import { announce, counted, find, go, h } from "./dom.js";
import { FilterBar } from "./filters.js";
import { Grid } from "./grid.js";
import { messageOf, notice, orderOf, remarkOn, toast } from "./messages.js";
import { addressOf } from "./route.js";

/** @typedef {import("./route.js").Search} Search */

const AHEAD = "1400px"; // below the screen, from where on more is fetched

/** @type {AbortController | null} */
let running = null;
/** @type {Search | null} */
let shown = null;
/** @type {import("./answers.js").Found | null} */
let found = null;
let isSettled = false; // the order will stay
let isFetching = false;
/** @type {FilterBar | null} */
let bar = null;

const end = h("div", { className: "end" });
const remark = h("div", { className: "remarks" });
const head = h("div", { className: "asked-for" });
const grid = new Grid("Works", { onPlaced: watch });
const watcher = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && fetchMore(), { rootMargin: AHEAD });

/** The answer being shown, for the view of a work in it. */
export const current = () => ({ search: shown, found });

/** End what is under way. */
export const stop = () => running?.abort();

/** @param {Search} search @param {(search: Search) => void} onChange Called with a narrowed search. */
export function showResults(search, onChange) {
  const section = find("results");
  bar ??= new FilterBar(onChange);
  if (!section.childElementCount) section.append(head, bar.element, remark, grid.element, end);
  if (shown && keyOf(shown) === keyOf(search) && found && !running?.signal.aborted) return;
  shown = search;
  describe(search);
  bar.show(search);
  begin(search);
}

/** @param {Search} search @param {typeof found} before What is shown of it, and stays if no more comes. */
function begin(search, before = null) {
  const section = find("results");
  stop();
  const { signal } = (running = new AbortController());
  isSettled = false;
  found = keptAnswer(search) ?? before;
  if (!found) section.setAttribute("aria-busy", "true");
  watcher.disconnect();
  remark.replaceChildren();
  end.replaceChildren();
  searchFor(search, signal, (answer, isFinal) => {
    found = answer;
    section.removeAttribute("aria-busy");
    show(search, isFinal);
  }).catch((problem) => {
    if (signal.aborted) return;
    if (isSettled) throw problem;
    section.removeAttribute("aria-busy");
    if (found) {
      if (!found.degraded.length) found.degraded.push("reranker"); // the order that was shown stays
      return show(search, true);
    }
    grid.show([], true);
    remark.replaceChildren(notice(messageOf(problem), () => begin(search)));
  });
}

/** @param {Search} search @param {boolean} isFinal Whether the order will stay. */
function show(search, isFinal) {
  const answer = /** @type {import("./answers.js").Found} */ (found);
  const { results, window, cursor } = answer;
  const said = remarkOn(answer);
  remark.replaceChildren(...(said ? [h("p", { className: said.isMild ? "mild" : "notice" }, said.text)] : []));
  isSettled = isFinal;
  grid.show(results, cursor === null);
  find("how-many").textContent = window ? counted(window, "work") : "";
  if (!isFinal) return;
  const order = orderOf(answer);
  if (order && !find("results").hidden) {
    toast(order, () => {
      find("toast").replaceChildren();
      begin(search, found);
    });
  }
  const first = window ? `${counted(window, "work")} found. The first is ${results[0].metadata.title}.` : "";
  announce(said ? `${said.text} ${said.isMild ? first : ""}` : first);
  closeUp();
}

function closeUp() {
  const isWhole = found?.cursor === null && found.window > 0;
  end.replaceChildren(...(isWhole ? [h("p", {}, "These are the works that come nearest. "), go(addressOf(/** @type {Search} */ (shown), "/map"), {}, "See them all on the map")] : []));
}

/** Fetch more when the end comes near; looked at anew, as it may be near still. */
function watch() {
  watcher.disconnect();
  if (isSettled) watcher.observe(end);
}

/** Fetch the next page of the answer, if there is one. */
export async function fetchMore() {
  const { signal } = /** @type {AbortController} */ (running);
  if (isFetching || !isSettled || !found?.cursor || signal.aborted || end.querySelector(".notice")) return;
  const answer = found;
  isFetching = true;
  try {
    await more(answer, signal);
    if (answer !== found) return;
    grid.show(answer.results, answer.cursor === null);
    closeUp();
  } catch (problem) {
    if (!signal.aborted) lacking(/** @type {any} */ (problem));
  } finally {
    isFetching = false;
  }
}

/** Say why there is no next page. @param {import("./api.js").Problem} problem */
function lacking(problem) {
  end.replaceChildren(notice(messageOf(problem), () => {
    end.replaceChildren();
    if (![400, 410].includes(problem.status)) return fetchMore();
    forget();
    begin(/** @type {Search} */ (shown));
  }));
}

/** @param {Search} search */
function describe(search) {
  const words = search.query || "Works like your picture";
  head.replaceChildren(
    h("h1", { id: "asked-for", tabIndex: -1 }, words),
    h("p", {}, h("span", { id: "how-many" }, "\u00a0"), go(addressOf(search, "/map"), {}, "On the map")),
  );
}
