// @ts-check
/** @module The view of an answer: what was asked, how it is narrowed, and the works, to the last. */

import { forget, keptAnswer, keyOf, more, searchFor } from "./answers.js";
import { announce, counted, find, go, h } from "./dom.js";
import { FilterBar } from "./filters.js";
import { Grid } from "./grid.js";
import { messageOf, notice, orderOf, remarkOn } from "./messages.js";
import { pictureOf } from "./picture.js";
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
/** Search once more for what is shown. */
let again = () => {};
/** @type {() => void} */
let stopWaiting = () => {};

const grid = new Grid("Works", { onPlaced: () => end && requestAnimationFrame(fetchIfNear) });
const end = h("div", { className: "end" });
const remark = h("div", { className: "remarks" });
const toast = h("div");
const head = h("div", { className: "asked-for" });
const watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && fetchMore(), { rootMargin: AHEAD });

/** The answer being shown, for the view of a work in it and for the map. */
export const current = () => ({ search: shown, found });

/** End what is under way. */
export function stop() {
  running?.abort();
  stopWaiting();
}

/** @param {Search} search @param {(search: Search) => void} onChange Called with a narrowed search. */
export function showResults(search, onChange) {
  const section = find("results");
  bar ??= new FilterBar(onChange);
  if (!section.childElementCount) section.append(head, bar.element, remark, grid.element, end, toast);
  if (shown && keyOf(shown) === keyOf(search) && found && !running?.signal.aborted) return;
  stop();
  shown = search;
  const controller = (running = new AbortController());
  again = () => {
    shown = null;
    showResults(search, onChange);
  };
  describe(search);
  bar.show(search);
  isSettled = false;
  found = keptAnswer(search) ?? null;
  watcher.disconnect();
  if (!found) section.setAttribute("aria-busy", "true");
  remark.replaceChildren();
  toast.replaceChildren();
  end.replaceChildren();
  searchFor(search, controller.signal, (answer, isFinal) => {
    found = answer;
    section.removeAttribute("aria-busy");
    show(isFinal);
  }).catch((problem) => {
    if (controller.signal.aborted) return;
    section.removeAttribute("aria-busy");
    found = null;
    grid.show([], true);
    tell(problem, remark, again);
  });
}

/** @param {boolean} isFinal Whether the order will stay. */
function show(isFinal) {
  const answer = /** @type {import("./answers.js").Found} */ (found);
  const { results, window, cursor } = answer;
  grid.show(results, isFinal && cursor === null);
  find("how-many").textContent = window ? counted(window, "work") : "";
  const said = remarkOn(answer);
  remark.replaceChildren(...(said ? [h("p", { className: "notice" }, said)] : []));
  isSettled = isFinal;
  if (!isFinal) return;
  const order = orderOf(answer);
  if (order) {
    const { element } = notice(order, () => (forget(), again()));
    element.classList.add("toast");
    element.append(h("button", { type: "button", className: "hold", "aria-label": "Close this note", onclick: () => element.remove() }, "×"));
    toast.replaceChildren(element);
  }
  announce(said ?? `${counted(window, "work")} found. The first is ${results[0].metadata.title}.`);
  closeUp();
  watcher.observe(end);
}

function closeUp() {
  const isWhole = found?.cursor === null && found.window > 0;
  end.replaceChildren(...(isWhole ? [h("p", {}, "These are the works that come nearest. "), go(addressOf(/** @type {Search} */ (shown), "/map"), {}, "See them all on the map")] : []));
}

function fetchIfNear() {
  const { top } = end.getBoundingClientRect();
  if (found && !find("results").hidden && top < innerHeight + parseInt(AHEAD, 10)) fetchMore();
}

async function fetchMore() {
  if (isFetching || !isSettled || !found?.cursor) return;
  const answer = found;
  const controller = /** @type {AbortController} */ (running);
  if (controller.signal.aborted || end.querySelector(".notice")) return;
  isFetching = true;
  try {
    await more(answer, controller.signal);
    if (answer !== found) return;
    grid.show(answer.results, answer.cursor === null);
    closeUp();
  } catch (problem) {
    if (controller.signal.aborted) return;
    const isGone = /** @type {any} */ (problem).status === 410;
    tell(/** @type {any} */ (problem), end, () => {
      end.replaceChildren();
      if (!isGone) return fetchMore();
      forget();
      again();
    });
  } finally {
    isFetching = false;
  }
}

/** @param {import("./api.js").Problem} problem @param {HTMLElement} place @param {() => void} again */
function tell(problem, place, again) {
  const message = messageOf(problem);
  const { element, stop: stopTimer } = notice(message, again);
  stopWaiting();
  addEventListener("online", again, { once: true });
  stopWaiting = () => {
    stopTimer();
    removeEventListener("online", again);
  };
  place.replaceChildren(element);
}

/** @param {Search} search */
function describe(search) {
  const picture = search.picture === undefined ? null : pictureOf(search.picture);
  const words = search.query || (picture ? "Works like your picture" : "");
  head.replaceChildren(
    h("h1", { id: "asked-for", tabIndex: -1 }, words),
    h("p", {}, h("span", { id: "how-many" }, "\u00a0"), go(addressOf(search, "/map"), {}, "On the map")),
  );
}
