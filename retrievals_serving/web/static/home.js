// @ts-check
/** @module The first view: examples of what can be asked, and what some of them find. */

import { searchFor } from "./answers.js";
import { find, go, h, isStill } from "./dom.js";
import { Grid } from "./grid.js";
import { addressOf } from "./route.js";

const EXAMPLES = [
  "a lonely boat in stormy seas",
  "old man reading by candlelight",
  "winter storm, trees",
  "melancholy figure in candlelight",
  "blue and gold, Byzantine, devotional",
  "a bowl of fruit in warm light",
  "fishing boats at sunset",
  "red painting -blue",
];
const WALLS = EXAMPLES.slice(0, 4);
const PERIOD = 5000; // ms that an example stands
const AGAIN = 5000; // ms until a wall that was not answered may ask again, when it is in sight

/** @param {string} text @param {string[]} negative */
const ask = (text, negative = []) => ({ query: text, negative, filters: {} });

let isBuilt = false;

const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    /** @type {any} */ (target).fill();
  }
}, { rootMargin: "300px" });

export function showHome() {
  if (isBuilt) return;
  isBuilt = true;
  rotateExamples();
  for (const query of WALLS) {
    const section = wall(query);
    find("home").append(section);
    watcher.observe(section);
  }
}

/** A row of works that a query finds. @param {string} query */
function wall(query) {
  const grid = new Grid(query, { rows: 1, isEven: true });
  const section = h("section", { className: "wall" },
    h("h2", {}, go(addressOf(ask(query)), {}, query)),
    grid.element);
  section.fill = () => searchFor(ask(query), new AbortController().signal, ({ results }) => grid.show(results, false), { top_k: 16, rerank: false })
    .catch(() => setTimeout(() => watcher.observe(section), AGAIN)); // the field above works as well without
  return section;
}

/** Show one example after another, until the visitor types or holds it. */
function rotateExamples() {
  const place = find("example");
  const field = find("query");
  let at = 0;
  let isHeld = isStill();
  const link = go("/", {}, "");
  const hold = h("button", { type: "button", className: "hold", onclick: () => {
    isHeld = !isHeld;
    label();
  } });
  const label = () => {
    hold.setAttribute("aria-label", isHeld ? "Let the examples change" : "Hold this example");
    hold.textContent = isHeld ? "▸" : "❙❙";
  };
  const show = () => {
    const [query, ...negative] = EXAMPLES[at].split(" -");
    link.textContent = EXAMPLES[at];
    link.href = addressOf(ask(query, negative));
  };
  place.append(h("span", {}, "For example"), " ", link, hold);
  show();
  label();
  setInterval(() => {
    if (isHeld || document.hidden || field.value || link.matches(":hover, :focus") || document.body.dataset.view !== "home") return;
    at = (at + 1) % EXAMPLES.length;
    const change = link.animate([{ opacity: 1 }, { opacity: 0 }], { duration: 350, fill: "forwards" });
    change.finished.then(() => {
      show();
      link.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 350, fill: "forwards" });
    });
  }, PERIOD);
}
