// @ts-check
/** @module A picture to look at closely: pan and zoom by pointer, wheel and keys, sharper as it grows. */

import { h, isStill } from "./dom.js";
import { listenTo } from "./gestures.js";
import { picture } from "./grid.js";

const MOST = 12; // times its first size
const STEP = 1.6; // of a button or key
const TILE = 512; // px
const EASE = 0.2; // of the way that is left, a frame

/**
 * The address of a part of a picture by the IIIF Image API, from that of the whole, or null.
 * @param {string} imageUrl As `https://museum/iiif/<id>/full/!1024,1024/0/default.jpg`.
 * @returns {((level: number, column: number, row: number) => string) | null} Level n has 2^n tiles
 *   across and down.
 */
export function tilesOf(imageUrl) {
  const match = /^(https:\/\/.+)\/full\/[^/]+\/0\/(default|native)\.jpg$/.exec(imageUrl);
  if (!match) return null;
  return (level, column, row) => {
    const share = 100 / 2 ** level; // a percentage, so that the size of the whole need not be known
    return `${match[1]}/pct:${column * share},${row * share},${share},${share}/!${TILE},${TILE}/0/${match[2]}.jpg`;
  };
}

/** @param {import("./answers.js").Metadata} metadata @returns {HTMLElement} */
export function zoomable(metadata) {
  const whole = picture(metadata);
  whole.loading = "eager";
  whole.sizes = "100vw";
  whole.removeAttribute("width");
  whole.removeAttribute("height");
  const layer = h("div", { className: "layer" }, whole);
  layer.style.backgroundColor = metadata.color;
  const stage = h("div", { className: "stage", tabIndex: 0, role: "group", "aria-label": "The picture. Plus and minus zoom, the arrow keys move it." }, layer);
  stage.style.aspectRatio = `${Math.max(0.6, metadata.width / metadata.height)}`;
  const address = tilesOf(metadata.image_url);
  /** @type {Set<string>} */
  const asked = new Set();
  let deepest = address ? 6 : 0; // level, until a tile shows that there is no more
  const now = { scale: 1, x: 0, y: 0 };
  const goal = { ...now };
  let frame = 0;

  const size = () => ({ width: stage.clientWidth, height: stage.clientHeight });

  /** The size of the picture as it lies in the stage. */
  const fit = () => {
    const { width, height } = size();
    const scale = Math.min(width / metadata.width, height / metadata.height);
    return { width: metadata.width * scale, height: metadata.height * scale };
  };

  function settle() {
    const { width, height } = fit();
    layer.style.width = `${width}px`;
    layer.style.height = `${height}px`;
    draw();
  }

  function draw() {
    layer.style.transform = `translate(-50%,-50%) translate(${now.x}px,${now.y}px) scale(${now.scale})`;
    stage.classList.toggle("near", goal.scale > 1);
  }

  function run() {
    const ease = isStill() ? 1 : EASE;
    for (const key of /** @type {("scale" | "x" | "y")[]} */ (["scale", "x", "y"])) now[key] += (goal[key] - now[key]) * ease;
    const isThere = Math.abs(goal.scale - now.scale) < 0.001 && Math.hypot(goal.x - now.x, goal.y - now.y) < 0.2;
    if (isThere) Object.assign(now, goal);
    draw();
    frame = isThere ? 0 : requestAnimationFrame(run);
    if (isThere) sharpen();
  }

  /** Go to a scale and a place, no further than the picture reaches. @param {number} scale @param {number} x @param {number} y */
  function aim(scale, x, y) {
    goal.scale = Math.min(MOST, Math.max(1, scale));
    const { width, height } = fit();
    const reach = { x: Math.max(0, (width * goal.scale - size().width) / 2), y: Math.max(0, (height * goal.scale - size().height) / 2) };
    goal.x = Math.min(reach.x, Math.max(-reach.x, x));
    goal.y = Math.min(reach.y, Math.max(-reach.y, y));
    frame ||= requestAnimationFrame(run);
  }

  /** Zoom so that a point of the stage, from its middle, stays where it is. @param {number} factor @param {number} [x] @param {number} [y] */
  function zoom(factor, x = 0, y = 0) {
    const scale = Math.min(MOST, Math.max(1, goal.scale * factor));
    const ratio = scale / goal.scale;
    aim(scale, x - (x - goal.x) * ratio, y - (y - goal.y) * ratio);
  }

  /** Ask for the tiles in sight, at the level that the screen can show. */
  function sharpen() {
    const { width, height } = fit();
    const needed = (Math.max(width, height) * now.scale * devicePixelRatio) / TILE;
    const level = Math.min(deepest, Math.ceil(Math.log2(Math.max(1, needed))));
    if (!address || level < 2 || now.scale === 1) return;
    const across = 2 ** level;
    const seen = (/** @type {number} */ extent, /** @type {number} */ view, /** @type {number} */ offset) => {
      const start = (extent * now.scale) / 2 - view / 2 - offset;
      const tile = (extent * now.scale) / across;
      return [Math.max(0, Math.floor(start / tile)), Math.min(across - 1, Math.floor((start + view) / tile))];
    };
    const columns = seen(width, size().width, now.x);
    const rows = seen(height, size().height, now.y);
    for (let row = rows[0]; row <= rows[1]; row += 1) {
      for (let column = columns[0]; column <= columns[1]; column += 1) tile(level, column, row);
    }
  }

  /** @param {number} level @param {number} column @param {number} row */
  function tile(level, column, row) {
    const url = /** @type {NonNullable<typeof address>} */ (address)(level, column, row);
    if (level > deepest || asked.has(url)) return;
    asked.add(url);
    const part = h("img", { alt: "", src: url, className: "tile", draggable: false, onload: () => {
      part.classList.add("loaded");
      if (Math.max(part.naturalWidth, part.naturalHeight) < TILE) deepest = Math.min(deepest, level);
    }, onerror: () => {
      part.remove();
      deepest = 0;
    } });
    const share = 100 / 2 ** level;
    Object.assign(part.style, { left: `${column * share}%`, top: `${row * share}%`, width: `${share}%`, height: `${share}%`, zIndex: level });
    layer.append(part);
  }

  listenTo(stage, {
    pan: (x, y) => aim(goal.scale, goal.x + x, goal.y + y),
    zoom,
    reset: () => aim(1, 0, 0),
    isNear: () => goal.scale > 1,
  });
  new ResizeObserver(settle).observe(stage);
  const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) =>
    h("button", { type: "button", "aria-label": label, onclick: act }, text);
  return h("div", { className: "viewer" }, stage, h("div", { className: "zooms" },
    button("−", "Zoom out", () => zoom(1 / STEP)), button("+", "Zoom in", () => zoom(STEP))));
}
