// @ts-check
/** @module The page: shows what its address names, and follows the visitor. */

import { getJson } from "./api.js";
import { counted, find, isStill } from "./dom.js";
import { showHome } from "./home.js";
import { messageOf, notice, toast } from "./messages.js";
import { acceptPictures, pictureOf } from "./picture.js";
import { showResults, stop } from "./results.js";
import { addressOf, isEmpty, parse, readWords } from "./route.js";

/**
 * @typedef {object} Visit What a view is given beside its route.
 * @property {(text: string) => void} setTitle
 * @property {(address: string) => void} navigate
 * @property {AbortSignal} signal Aborted when the visitor goes on.
 */

const VIEWS = ["home", "results", "work", "map", "about"];
/** @type {Record<string, () => Promise<{show: (route: any, visit: Visit) => unknown}>>} */
const FETCHED = { work: () => import("./work.js"), map: () => import("./map.js"), about: () => import("./about.js") };
const PATIENCE = 300; // ms that the turn from one view to another waits for it
const TITLES = { home: "", results: "", work: "", map: "Map of the collection", about: "About" };

/** @type {Map<number, {href: string, scroll: number}>} Entries of the history, as they were left. */
const left = new Map();
let here = location.href; // the address being shown
let entry = history.state?.entry ?? 0;
let route = read();
let leaving = new AbortController();

/** What the address names. A picture is gone after a reload. */
function read() {
  return parse(location, pictureOf(history.state?.picture) ? history.state : null);
}

/** @param {string} text */
function setTitle(text) {
  document.title = text ? `${text} · Retrievals` : "Retrievals: search art the way you think about it";
}

/** @param {string} address @param {{picture?: string, isReplacing?: boolean}} [options] */
function navigate(address, { picture, isReplacing = false } = {}) {
  left.set(entry, { href: location.href, scroll: scrollY });
  if (!isReplacing) entry += 1;
  const change = isReplacing ? "replaceState" : "pushState";
  history[change]({ picture, entry }, "", address);
  follow(0);
}

/** @param {import("./route.js").Search} search */
function narrow(search) {
  const { picture } = search;
  const address = isEmpty(search) ? "/" : addressOf(search, route.view === "map" ? "/map" : "/");
  navigate(address, { picture, isReplacing: address === location.pathname + location.search && picture === route.search.picture });
}

/** Show what the address names. @param {number} scroll */
function follow(scroll) {
  const before = route;
  here = location.href;
  const turnedTo = (route = read());
  /** @type {Promise<void>} */
  let shown = Promise.resolve();
  const change = () => {
    shown = show();
    scrollTo(0, scroll);
    return Promise.race([shown, new Promise((done) => setTimeout(done, PATIENCE))]);
  };
  const isTurn = before.view !== route.view && "startViewTransition" in document && !isStill();
  const isElsewhere = before.view !== route.view || before.id !== route.id;
  const turned = isTurn ? /** @type {any} */ (document).startViewTransition(change).updateCallbackDone : change();
  turned.then(() => shown).then(() => {
    if (scroll && turnedTo === route) scrollTo(0, scroll); // the view has its whole height only now
    const isTyping = document.activeElement?.matches("input");
    if (isElsewhere && turnedTo === route && !isTyping) find(route.view).querySelector("h1")?.focus({ preventScroll: true });
  });
}

/** Show what is to be shown; done when its heading is there. */
async function show() {
  const { view, search } = route;
  leaving.abort();
  const { signal } = (leaving = new AbortController());
  head();
  if (view === "home") {
    stop();
    showHome();
  }
  if (view === "results") showResults(search, narrow);
  try {
    const part = await FETCHED[view]?.();
    if (!signal.aborted) await part?.show(route, { setTitle, navigate, signal });
  } catch (error) {
    if (!signal.aborted) lost(/** @type {Error} */ (error));
  }
}

/** Let the head of the page and its title tell of the route. */
function head() {
  const { view, search } = route;
  document.body.dataset.view = view;
  for (const name of VIEWS) find(name).hidden = name !== view;
  for (const link of document.querySelectorAll('nav[aria-label="Pages"] a')) {
    if (link.getAttribute("href") === location.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view === "results" || view === "home" || view === "map") find("query").value = search.query;
  find("asked").hidden = search.picture === undefined;
  if (search.picture !== undefined) find("asked").src = search.picture;
  find("toast").replaceChildren();
  setTitle(TITLES[view] || search.query || (view === "results" ? "Works like your picture" : ""));
}

/** A part of the page that cannot be fetched. @param {Error} error */
function lost(error) {
  console.error(error);
  find(route.view).replaceChildren(notice(messageOf(/** @type {any} */ ({ status: 0 })), () => location.reload()));
}

addEventListener("click", (event) => {
  const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest("a"));
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.className === "skip") {
    event.preventDefault(); // whose entry in the history would have no state
    return find("main").focus();
  }
  if (!("go" in link.dataset)) return;
  event.preventDefault();
  if ("back" in link.dataset && left.get(entry - 1)?.href === link.href) return history.back();
  const isOfIt = ["/", "/map"].includes(link.pathname) && !link.classList.contains("brand");
  navigate(link.href, { isReplacing: "replace" in link.dataset, picture: link.dataset.picture ?? (isOfIt ? route.search.picture : undefined) });
});

addEventListener("popstate", () => {
  left.set(entry, { href: here, scroll: scrollY });
  entry = history.state?.entry ?? 0;
  follow(left.get(entry)?.scroll ?? 0);
});

addEventListener("keydown", (event) => {
  if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return find("query").focus();
  }
  const target = /** @type {Element} */ (event.target);
  if (target.matches("input") || event.altKey || event.ctrlKey || event.metaKey) return;
  const to = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  if (to && route.view === "work" && !target.closest(".grid")) find("work").querySelector(`a[rel=${to}]`)?.click();
});

find("search").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const field = find("query");
  const { query, negative } = readWords(field.value);
  const isSame = ["results", "map"].includes(route.view);
  const { filters, picture } = isSame ? route.search : { filters: {}, picture: undefined };
  const kept = isSame && query === route.search.query ? route.search.negative : [];
  const search = { query, negative: [...new Set([...kept, ...negative])], filters, picture };
  field.setCustomValidity(isEmpty(search) && negative.length ? "Say also what the picture is to show." : "");
  if (isEmpty(search)) return field.reportValidity() && field.focus();
  field.blur();
  narrow(search);
});

acceptPictures(
  (picture) => navigate("/", { picture }),
  () => toast({ text: "This is no picture that can be read. JPEG, PNG and WebP can." }),
);

history.scrollRestoration = "manual";
show();
getJson("/stats").then(({ works }) => {
  find("count").textContent = `${counted(works, "work")}, searched by what they show.`;
}).catch(() => {}); // the sentence stands without
