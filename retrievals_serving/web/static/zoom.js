// @ts-check
/** @module A picture to look at closely: pan and zoom by pointer, wheel and keys, sharper as it grows. */

import { h, isStill } from "./dom.js";
import { listenTo, STEP } from "./gestures.js";
import { picture } from "./grid.js";

const MOST = 12; // times its first size
const TILE = 512; // px
const EASE = 0.2; // of the way that is left, a frame

/**
 * The address of a part of a picture by the IIIF Image API, from that of the whole, or null.
 * @param {string} imageUrl As `https://museum/iiif/<id>/full/!1024,1024/0/default.jpg`.
 * @returns {((level: number, column: number, row: number) => string) | null} Level n has 2^n tiles
 *   across and down.
 */
function tilesOf(imageUrl) {
  const match = /^(https:\/\/.+)\/full\/[^/]+\/0\/(default|native)\.jpg$/.exec(imageUrl);
  if (!match) return null;
  return (level, column, row) => {
    const share = 100 / 2 ** level; // a percentage, so that the size of the whole need not be known
    return `${match[1]}/pct:${column * share},${row * share},${share},${share}/!${TILE},${TILE}/0/${match[2]}.jpg`;
  };
}

/** A picture on a stage, with buttons to zoom. */
export class Viewer {
  /** @type {Set<string>} Addresses of tiles. */ asked = new Set();
  now = { scale: 1, x: 0, y: 0 };
  goal = { scale: 1, x: 0, y: 0 };
  frame = 0;

  /** @param {import("./answers.js").Metadata} metadata */
  constructor(metadata) {
    this.metadata = metadata;
    this.address = tilesOf(metadata.image_url);
    this.deepest = this.address ? 6 : 0; // level, until a tile shows that there is no more
    const whole = picture(metadata);
    whole.loading = "eager";
    whole.sizes = "100vw";
    whole.removeAttribute("width");
    whole.removeAttribute("height");
    this.layer = h("div", { className: "layer" }, whole);
    this.layer.style.backgroundColor = metadata.color;
    this.stage = h("div", { className: "stage", tabIndex: 0, role: "group", "aria-label": "The picture. Plus and minus zoom, the arrow keys move it." }, this.layer);
    this.stage.style.aspectRatio = `${Math.max(0.6, metadata.width / metadata.height)}`;
    listenTo(this.stage, {
      pan: (x, y) => this.aim(this.goal.scale, this.goal.x + x, this.goal.y + y),
      zoom: (factor, x, y) => this.zoom(factor, x, y),
      reset: () => this.aim(1, 0, 0),
      isNear: () => this.goal.scale > 1,
    });
    new ResizeObserver(() => this.settle()).observe(this.stage);
    const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {number} */ factor) =>
      h("button", { type: "button", "aria-label": label, onclick: () => this.zoom(factor) }, text);
    this.element = h("div", { className: "viewer" }, this.stage, h("div", { className: "zooms" },
      button("−", "Zoom out", 1 / STEP), button("+", "Zoom in", STEP)));
  }

  /** The size of the stage. */
  get size() {
    return { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  /** The size of the picture as it lies in the stage. */
  get fit() {
    const { width, height } = this.metadata;
    const scale = Math.min(this.size.width / width, this.size.height / height);
    return { width: width * scale, height: height * scale };
  }

  /** Take the size of the stage. */
  settle() {
    const { width, height } = this.fit;
    this.layer.style.width = `${width}px`;
    this.layer.style.height = `${height}px`;
    this.draw();
  }

  draw() {
    const { scale, x, y } = this.now;
    this.layer.style.transform = `translate(-50%,-50%) translate(${x}px,${y}px) scale(${scale})`;
    this.stage.classList.toggle("near", this.goal.scale > 1);
  }

  /** Go a part of the way that is left. */
  step() {
    const { now, goal } = this;
    const ease = isStill() ? 1 : EASE;
    for (const key of /** @type {("scale" | "x" | "y")[]} */ (["scale", "x", "y"])) now[key] += (goal[key] - now[key]) * ease;
    const isThere = Math.abs(goal.scale - now.scale) < 0.001 && Math.hypot(goal.x - now.x, goal.y - now.y) < 0.2;
    if (isThere) Object.assign(now, goal);
    this.draw();
    this.frame = isThere ? 0 : requestAnimationFrame(() => this.step());
    if (isThere) this.sharpen();
  }

  /** Go to a scale and a place, no further than the picture reaches. @param {number} scale @param {number} x @param {number} y */
  aim(scale, x, y) {
    const { goal, fit, size } = this;
    goal.scale = Math.min(MOST, Math.max(1, scale));
    const reach = { x: Math.max(0, (fit.width * goal.scale - size.width) / 2), y: Math.max(0, (fit.height * goal.scale - size.height) / 2) };
    goal.x = Math.min(reach.x, Math.max(-reach.x, x));
    goal.y = Math.min(reach.y, Math.max(-reach.y, y));
    this.frame ||= requestAnimationFrame(() => this.step());
  }

  /** Zoom so that a point of the stage, from its middle, stays where it is. @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x = 0, y = 0) {
    const { goal } = this;
    const scale = Math.min(MOST, Math.max(1, goal.scale * factor));
    const ratio = scale / goal.scale;
    this.aim(scale, x - (x - goal.x) * ratio, y - (y - goal.y) * ratio);
  }

  /** Ask for the tiles in sight, at the level that the screen can show. */
  sharpen() {
    const { now, fit, size } = this;
    const needed = (Math.max(fit.width, fit.height) * now.scale * devicePixelRatio) / TILE;
    const level = Math.min(this.deepest, Math.ceil(Math.log2(Math.max(1, needed))));
    if (level < 2 || now.scale === 1) return;
    const across = 2 ** level;
    const seen = (/** @type {number} */ extent, /** @type {number} */ view, /** @type {number} */ offset) => {
      const start = (extent * now.scale) / 2 - view / 2 - offset;
      const tile = (extent * now.scale) / across;
      return [Math.max(0, Math.floor(start / tile)), Math.min(across - 1, Math.floor((start + view) / tile))];
    };
    const columns = seen(fit.width, size.width, now.x);
    const rows = seen(fit.height, size.height, now.y);
    for (let row = rows[0]; row <= rows[1]; row += 1) {
      for (let column = columns[0]; column <= columns[1]; column += 1) this.tile(level, column, row);
    }
  }

  /** @param {number} level @param {number} column @param {number} row */
  tile(level, column, row) {
    const url = /** @type {NonNullable<ReturnType<typeof tilesOf>>} */ (this.address)(level, column, row);
    if (level > this.deepest || this.asked.has(url)) return;
    this.asked.add(url);
    const part = h("img", { alt: "", src: url, className: "tile", draggable: false, onload: () => {
      part.classList.add("loaded");
      if (Math.max(part.naturalWidth, part.naturalHeight) < TILE) this.deepest = Math.min(this.deepest, level);
    }, onerror: () => {
      part.remove();
      this.deepest = 0;
    } });
    const share = 100 / 2 ** level;
    Object.assign(part.style, { left: `${column * share}%`, top: `${row * share}%`, width: `${share}%`, height: `${share}%`, zIndex: level });
    this.layer.append(part);
  }
}
