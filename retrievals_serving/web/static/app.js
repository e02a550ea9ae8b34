// @ts-check
/** @module The page: shows what its address names, and follows the visitor. */

import { getJson } from "./api.js";
import { counted, find, isStill } from "./dom.js";
import { showHome } from "./home.js";
import { messageOf, notice } from "./messages.js";
import { acceptPictures, pictureOf } from "./picture.js";
import { showResults, stop } from "./results.js";
import { addressOf, isEmpty, parse, readWords } from "./route.js";

const VIEWS = ["home", "results", "work", "map", "about"];
const PATIENCE = 300; // ms that the turn from one view to another waits for it
const TITLES = { home: "", results: "", work: "", map: "Map of the collection", about: "About" };

/** @type {Map<number, {href: string, scroll: number}>} Entries of the history, as they were left. */
const left = new Map();
let here = location.href; // the address being shown
let entry = history.state?.entry ?? 0;
/** @type {import("./route.js").Route} */
let route = parse(location, history.state);

/** @param {string} text */
function setTitle(text) {
  document.title = text ? `${text} · Retrievals` : "Retrievals: search art the way you think about it";
}

/** @param {string} address @param {{picture?: number, isReplacing?: boolean}} [options] */
function navigate(address, { picture, isReplacing = false } = {}) {
  left.set(entry, { href: location.href, scroll: scrollY });
  if (!isReplacing) entry += 1;
  const change = isReplacing ? "replaceState" : "pushState";
  history[change]({ picture, entry }, "", address);
  follow(0);
}

/** @param {import("./route.js").Search} search */
const narrow = (search) => {
  const { picture } = search;
  navigate(isEmpty(search) ? "/" : addressOf(search, route.view === "map" ? "/map" : "/"), { picture });
};

/** Show what the address names. @param {number} scroll */
function follow(scroll) {
  const before = route;
  here = location.href;
  route = parse(location, history.state);
  if (route.search.picture !== undefined && !pictureOf(route.search.picture)) route.search.picture = undefined; // after a reload
  if (route.view === "results" && isEmpty(route.search)) route.view = "home";
  /** @type {Promise<void>} */
  let shown = Promise.resolve();
  const change = () => {
    shown = show();
    scrollTo(0, scroll);
    return Promise.race([shown, new Promise((done) => setTimeout(done, PATIENCE))]);
  };
  const isTurn = before.view !== route.view && "startViewTransition" in document && !isStill() && document.body.dataset.started;
  const isElsewhere = before.view !== route.view || before.id !== route.id;
  const turned = isTurn ? /** @type {any} */ (document).startViewTransition(change).updateCallbackDone : change();
  const turnedTo = route;
  turned.then(() => shown).then(() => {
    if (isElsewhere && turnedTo === route) find(route.view).querySelector("h1")?.focus({ preventScroll: true });
  });
}

/** Show what is to be shown; done when its heading is there. */
async function show() {
  const { view, search, id } = route;
  document.body.dataset.view = view;
  for (const name of VIEWS) find(name).hidden = name !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === location.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view === "results" || view === "home" || view === "map") {
    find("query").value = search.query;
    const picture = search.picture === undefined ? undefined : pictureOf(search.picture);
    find("asked").hidden = !picture;
    if (picture) find("asked").src = picture.url;
  }
  setTitle(TITLES[view] || search.query || (view === "results" ? "Works like your picture" : ""));
  if (view === "home") {
    stop();
    showHome();
  }
  if (view === "results") showResults(search, narrow);
  try {
    if (view === "work") await (await import("./work.js")).showWork(/** @type {string} */ (id), setTitle);
    if (view === "map") (await import("./map.js")).showMap(route, navigate);
    if (view === "about") await (await import("./about.js")).showAbout();
  } catch (error) {
    lost(/** @type {Error} */ (error));
  }
}

/** A part of the page that cannot be fetched. @param {Error} error */
function lost(error) {
  console.error(error);
  find(route.view).replaceChildren(notice(messageOf(/** @type {any} */ ({ status: 0, message: error.message })), () => location.reload()).element);
}

addEventListener("click", (event) => {
  const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest("a[data-go]"));
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if ("back" in link.dataset && left.get(entry - 1)?.href === link.href) return history.back();
  const picture = link.pathname === "/" || link.pathname === "/map" ? route.search.picture : undefined;
  navigate(link.href, { isReplacing: "replace" in link.dataset, picture: link.search || link.classList.contains("brand") ? undefined : picture });
});

addEventListener("popstate", () => {
  left.set(entry, { href: here, scroll: scrollY });
  entry = history.state?.entry ?? 0;
  follow(left.get(entry)?.scroll ?? 0);
});

addEventListener("keydown", (event) => {
  const isTyping = /** @type {Element} */ (event.target).matches("input, select, textarea");
  if (isTyping || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "/") {
    event.preventDefault();
    find("query").focus();
  }
  const to = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  if (to && route.view === "work" && !/** @type {Element} */ (event.target).closest(".grid")) find("work").querySelector(`a[rel=${to}]`)?.click();
});

find("search").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const { query, negative } = readWords(find("query").value);
  const isSame = ["results", "map"].includes(route.view);
  const { filters, picture } = isSame ? route.search : { filters: {}, picture: undefined };
  const kept = isSame && query === route.search.query ? route.search.negative : [];
  const search = { query, negative: [...new Set([...kept, ...negative])], filters, picture };
  if (isEmpty(search)) return find("query").focus();
  find("query").blur();
  narrow(search);
});

acceptPictures(
  (picture) => navigate("/?", { picture }),
  () => find(route.view).prepend(notice({ text: "This is no picture that can be read. JPEG, PNG and WebP can." }, () => {}).element),
);

history.scrollRestoration = "manual";
show();
document.body.dataset.started = "yes";
getJson("/stats").then(({ works }) => {
  find("count").textContent = `${counted(works, "work")}, searched by what they show.`;
}).catch(() => {}); // the sentence stands without
