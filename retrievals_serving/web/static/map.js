// @ts-check
/** @module The view of the map: every work as a dot in its main colour, alike works together. */

import { ask } from "./api.js";
import { records, searchFor } from "./answers.js";
import { announce, counted, find, go, h, isStill } from "./dom.js";
import { labelOf } from "./filters.js";
import { listenTo } from "./gestures.js";
import { picture } from "./grid.js";
import { MapData } from "./map-data.js";
import { Painter } from "./map-painter.js";
import { messageOf, notice, remarkOn } from "./messages.js";
import { addressOf, FIELDS, isEmpty, workAddress } from "./route.js";

const EASE = 0.22; // of the way that is left, a frame
const NEAR = 24; // px from a dot that still mean it
const MOST = 60; // times the scale at which all is seen
const LISTED = 12; // works nearest to the middle
const REST = 220; // ms of rest before records are asked for
const STEP = 1.8; // of a button

const canvas = h("canvas", { id: "dots", tabIndex: 0, role: "application", "aria-label": "Map of the collection. The arrow keys move it, plus and minus zoom, Enter opens the work in the middle." });
const told = h("p", { className: "told" });
const hint = h("div", { className: "hint", hidden: true });
const list = h("ul", { "aria-label": "Works in the middle of the map" });

/** @type {MapData | null} */
let data = null;
/** @type {Painter | null} */
let painter = null;
/** @type {import("./app.js").Visit} */
let visit;
let version = ""; // of the map
const now = { x: 0, y: 0, scale: 1 };
const goal = { x: 0, y: 0, scale: 1 };
/** @type {number | null} The work that the address names. */
let chosen = null;
/** @type {number | null} The work under the pointer. */
let pointed = null;
let whole = 1; // the scale at which all is seen
let frame = 0;
const hinting = waiter(REST / 2);
const listing = waiter(REST);

/** @param {import("./route.js").Route} route @param {import("./app.js").Visit} given */
export function show(route, given) {
  visit = given;
  const section = find("map");
  if (!section.childElementCount) build(section);
  fill(route, visit.signal).catch((error) => {
    if (!given.signal.aborted) told.replaceChildren(notice(messageOf(error), () => show(route, given)));
  });
}

/** @param {import("./route.js").Route} route @param {AbortSignal} signal */
async function fill(route, signal) {
  if (!data) {
    told.textContent = "Drawing the map…";
    await load(signal);
  }
  await light(route, signal);
}

/** Fetch the map, unless the one that is shown is that of the release still. @param {AbortSignal} signal */
async function load(signal) {
  const response = await ask("/map.bin", { signal });
  const served = response.headers.get("ETag") ?? "";
  if (data && version === served) return;
  data = new MapData(await response.arrayBuffer());
  version = served;
  painter = new Painter(canvas, data);
  chosen = pointed = null;
  listed = "";
  resize();
  fit();
}

/** @param {HTMLElement} section */
function build(section) {
  const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) =>
    h("button", { type: "button", "aria-label": label, onclick: act }, text);
  section.append(
    h("h1", { className: "unseen", tabIndex: -1 }, "Map of the collection"), told, canvas, hint,
    h("div", { className: "zooms" }, button("−", "Zoom out", () => zoom(1 / STEP, 0, 0)), button("+", "Zoom in", () => zoom(STEP, 0, 0)), button("All", "All of the map", fit)),
    h("div", { className: "middle" }, h("h2", {}, "In the middle"), list));
  listenTo(canvas, {
    pan: (x, y) => aim(goal.scale, goal.x - x / goal.scale, goal.y - y / goal.scale),
    zoom, reset: fit, isNear: () => true,
    hover: (x, y) => point(at(x, y)[0] ?? null, x, y),
    tap: (x, y) => {
      const [work] = at(x, y);
      if (work !== undefined && data) visit.navigate(workAddress(data.ids[work]));
    },
  });
  new ResizeObserver(resize).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", resize);
  canvas.addEventListener("pointerleave", () => point(null, 0, 0));
  addEventListener("keydown", ({ key }) => key === "Escape" && (hint.hidden = true));
  canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const [work] = data?.nearest(goal.x, goal.y, 1) ?? [];
    if (event.key === "Enter" && data && work !== undefined) visit.navigate(workAddress(data.ids[work]));
  });
}

/** Light up what a search finds, or the work that is named. @param {import("./route.js").Route} route @param {AbortSignal} signal */
async function light(route, signal) {
  if (!data || !painter) return;
  const places = new Map(data.ids.map((id, place) => [id, place]));
  chosen = (route.id === undefined ? null : places.get(route.id)) ?? null;
  painter.marked = chosen;
  if (chosen !== null) aim(Math.max(goal.scale, whole * 8), data.places[2 * chosen], data.places[2 * chosen + 1]);
  painter.lit = [];
  told.replaceChildren(`${counted(data.count, "work")}. What looks alike lies together.`);
  draw();
  const { query, negative, filters } = route.search;
  if (isEmpty(route.search)) return;
  const values = FIELDS.flatMap((field) => (filters[field] ?? []).map((value) => labelOf(field, value)));
  const narrowed = [...negative.map((word) => `without ${word}`), ...values].map((text) => `, ${text}`).join("");
  const lit = (/** @type {import("./answers.js").Found} */ found) => {
    /** @type {Painter} */ (painter).lit = found.results.flatMap(({ id }) => places.get(id) ?? []);
    const said = found.window ? [`The ${counted(found.results.length, "nearest work")} for `, h("q", {}, query || "your picture"), `${narrowed}. `] : [];
    const remark = remarkOn(found);
    if (remark && !remark.isMild) said.push(`${remark.text} `);
    told.replaceChildren(...said, go(addressOf(route.search), {}, "See them as a list"));
    draw();
  };
  told.replaceChildren("Looking for ", h("q", {}, query || "works like your picture"), "…");
  await searchFor(route.search, signal, lit);
  announce(`${counted(painter.lit.length, "work")} lit up on the map.`);
}

/** The works under a point, the nearest first. @param {number} x @param {number} y */
const at = (x, y) => data?.nearest(now.x + x / now.scale, now.y + y / now.scale, 1, NEAR / now.scale) ?? [];

/** Show which work is under the pointer. @param {number | null} work @param {number} x @param {number} y */
function point(work, x, y) {
  if (!painter || !data || pointed === work) return;
  pointed = work;
  painter.marked = work ?? chosen;
  canvas.classList.toggle("over", work !== null);
  draw();
  hint.hidden = true;
  if (work === null) return;
  hinting(async (signal) => {
    const [near] = await records([/** @type {MapData} */ (data).ids[work]], signal);
    if (pointed !== work) return;
    const { title, artist, date } = near.metadata;
    hint.replaceChildren(framed(near.metadata), h("strong", {}, title), h("span", {}, [artist, date].filter(Boolean).join(", ")));
    hint.hidden = false;
    const place = (/** @type {number} */ value, /** @type {number} */ extent, /** @type {number} */ own) =>
      Math.min(extent - own - 12, Math.max(12, value + extent / 2 + (value > 0 ? -own - 18 : 18)));
    hint.style.transform = `translate(${place(x, canvas.clientWidth, hint.offsetWidth)}px,${place(y, canvas.clientHeight, hint.offsetHeight)}px)`;
  });
}

/** @param {import("./answers.js").Metadata} metadata */
function framed(metadata) {
  const frame = h("div", { className: "frame" }, picture(metadata));
  frame.style.backgroundColor = metadata.color;
  return frame;
}

/** Returns what does something once the visitor rests for `wait` ms. @param {number} wait */
function waiter(wait) {
  let timer = 0;
  return (/** @type {(signal: AbortSignal) => Promise<void>} */ act) => {
    clearTimeout(timer);
    const { signal } = visit;
    timer = setTimeout(() => act(signal).catch((problem) => {
      if (problem.status === 404) return load(signal).catch(() => {}); // of another release: so is the map
    }), wait); // without it the map is as good
  };
}

function resize() {
  if (!painter || !data || !canvas.clientWidth) return;
  const { left, top, right, bottom } = data.bounds;
  const isAll = goal.scale === whole;
  whole = 0.9 * Math.min(canvas.clientWidth / Math.max(1, right - left), canvas.clientHeight / Math.max(1, bottom - top));
  painter.resize();
  if (isAll) fit();
  draw();
}

function fit() {
  if (!data) return;
  const { left, top, right, bottom } = data.bounds;
  aim(whole, (left + right) / 2, (top + bottom) / 2);
}

/** @param {number} factor @param {number} x @param {number} y */
function zoom(factor, x, y) {
  const scale = Math.min(MOST * whole, Math.max(whole * 0.8, goal.scale * factor));
  aim(scale, goal.x + x / goal.scale - x / scale, goal.y + y / goal.scale - y / scale);
}

/** @param {number} scale @param {number} x @param {number} y */
function aim(scale, x, y) {
  if (!data) return;
  hint.hidden = true;
  const { left, top, right, bottom } = data.bounds;
  Object.assign(goal, { scale, x: Math.min(right, Math.max(left, x)), y: Math.min(bottom, Math.max(top, y)) });
  frame ||= requestAnimationFrame(run);
}

function run() {
  const ease = isStill() ? 1 : EASE;
  for (const key of /** @type {("x" | "y" | "scale")[]} */ (["x", "y", "scale"])) now[key] += (goal[key] - now[key]) * ease;
  const isThere = Math.hypot(goal.x - now.x, goal.y - now.y) * now.scale < 0.3 && Math.abs(goal.scale / now.scale - 1) < 0.002;
  if (isThere) Object.assign(now, goal);
  frame = isThere ? 0 : requestAnimationFrame(run);
  paint();
}

function draw() {
  frame ||= requestAnimationFrame(run);
}

let listed = "";

function paint() {
  if (!painter || !data) return;
  const near = painter.paint(now, whole);
  if (frame) return;
  const middle = data.nearest(now.x, now.y, LISTED);
  const key = `${middle}`;
  if (key === listed && !near.some((work) => !painter?.pictures.has(work))) return;
  listing(async (signal) => {
    const { ids } = /** @type {MapData} */ (data);
    const works = [...new Set([...middle, ...near])].slice(0, 100);
    const told = await records(works.map((work) => ids[work]), signal);
    listed = key;
    list.replaceChildren(...told.slice(0, middle.length).map(({ id, metadata }) => h("li", {}, go(workAddress(id), { title: metadata.title, "aria-label": metadata.title }, framed(metadata)))));
    for (const [place, { metadata }] of told.entries()) {
      if (!near.includes(works[place]) || painter?.pictures.has(works[place])) continue;
      const image = new Image();
      image.onload = draw;
      image.src = metadata.thumbnail_url;
      painter?.keep(works[place], image);
    }
  });
}
