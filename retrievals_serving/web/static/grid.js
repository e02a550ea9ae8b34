// @ts-check
/** @module A grid of works in rows that fill the width, which moves gently when its order changes. */

import { go, h, isStill } from "./dom.js";
import { aspectOf, layOut } from "./layout.js";
import { workAddress } from "./route.js";

/** @typedef {import("./answers.js").Result} Result */
/** @typedef {{id: string, metadata: import("./answers.js").Metadata}} Work */

const THUMBNAIL = 400; // px, the longer side
const NARROW = 600; // px, a grid's width below which two works are in a row and titles have two lines
const CAPTION = { narrow: 84, wide: 66 }; // px, with the space under it
const TARGETS = { wide: [225, 265], dense: [180, 195] }; // px, by the width of the grid
const TALL = { loose: 0.64, even: 0.542 }; // of the width of a narrow grid
const MOVE = { duration: 650, easing: "cubic-bezier(.3,.1,.1,1)" };

export class Grid {
  /** @type {Work[]} */ works = [];
  /** @type {Map<string, HTMLElement>} */ cards = new Map();
  /** @type {Map<string, import("./layout.js").Box>} */ boxes = new Map();
  isEnd = false;

  /**
   * @param {string} label What the list is called.
   * @param {{rows?: number, isEven?: boolean, isDense?: boolean, onPlaced?: () => void}} [options]
   */
  constructor(label, { rows, isEven = false, isDense = false, onPlaced } = {}) {
    this.rows = rows;
    this.isEven = isEven;
    this.isDense = isDense;
    this.onPlaced = onPlaced;
    this.element = h("ul", { className: "grid", "aria-label": label, onkeydown: (/** @type {KeyboardEvent} */ event) => this.step(event) });
    let width = 0;
    new ResizeObserver(([entry]) => {
      if (entry.contentRect.width === width) return;
      width = entry.contentRect.width;
      this.place();
    }).observe(this.element);
  }

  /**
   * Show works in an order; those that are shown already move to their place.
   * @param {Work[]} works @param {boolean} isEnd Whether no more will come.
   */
  show(works, isEnd) {
    const before = this.boxes;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const isNew = !works.some(({ id }) => this.cards.has(id));
    const cards = new Map(works.map((work) => [work.id, this.cards.get(work.id) ?? card(work)]));
    this.works = works;
    this.cards = cards;
    this.isEnd = isEnd;
    if ([...this.element.children].some((child, place) => child !== cards.get(works[place]?.id))) {
      this.element.replaceChildren(...cards.values());
      if (focused && this.element.contains(focused)) focused.focus({ preventScroll: true });
    } else this.element.append(...[...cards.values()].slice(this.element.childElementCount));
    this.place();
    if (!isNew && !isStill()) this.move(before);
  }

  /** Give every card its place. */
  place() {
    const width = this.element.clientWidth;
    if (!width) return;
    const isNarrow = width < NARROW;
    this.element.classList.toggle("narrow", isNarrow);
    const target = isNarrow ? TALL[this.isEven ? "even" : "loose"] * width : TARGETS[this.isDense ? "dense" : "wide"][width < 1100 ? 0 : 1];
    const { boxes, height } = layOut(this.works.map(({ metadata }) => aspectOf(/** @type {any} */ (metadata))), {
      width, target, gap: isNarrow ? 10 : 22, below: CAPTION[isNarrow ? "narrow" : "wide"], columns: isNarrow ? 2 : Infinity, isEnd: this.isEnd, rows: this.rows, isEven: this.isEven,
    });
    this.boxes = new Map();
    for (const [place, { id, metadata }] of this.works.entries()) {
      const element = /** @type {HTMLElement} */ (this.cards.get(id));
      const box = boxes[place];
      element.hidden = !box;
      if (!box) continue;
      this.boxes.set(id, box);
      const style = element.style;
      style.transform = `translate(${box.x.toFixed(2)}px,${box.y.toFixed(2)}px)`;
      style.width = `${box.width.toFixed(2)}px`;
      const frame = /** @type {HTMLElement} */ (element.querySelector(".frame"));
      frame.style.height = `${box.height.toFixed(2)}px`;
      const picture = /** @type {HTMLImageElement} */ (element.querySelector("img"));
      const shown = Math.ceil(Math.max(box.width, (box.height * metadata.width) / metadata.height));
      if (picture.sizes !== `${shown}px`) picture.sizes = `${shown}px`;
    }
    this.element.style.height = `${height}px`;
    this.onPlaced?.();
  }

  /** Let the cards in sight glide from where they were. @param {Map<string, import("./layout.js").Box>} before */
  move(before) {
    const top = -this.element.getBoundingClientRect().top;
    const isSeen = (/** @type {import("./layout.js").Box} */ { y, height }) =>
      y + height > top - 400 && y < top + innerHeight + 400;
    for (const [id, now] of this.boxes) {
      const element = /** @type {HTMLElement} */ (this.cards.get(id));
      const old = before.get(id);
      if (!isSeen(now) && !(old && isSeen(old))) continue;
      if (!old) element.animate([{ opacity: 0 }, { opacity: 1 }], MOVE);
      else if (old.x !== now.x || old.y !== now.y || old.width !== now.width) {
        const from = `translate(${old.x}px,${old.y}px) scale(${old.width / now.width},${old.height / now.height})`;
        element.animate([{ transform: from }, { transform: element.style.transform }], MOVE);
      }
    }
  }

  /** Go from work to work by the arrow keys, by Home and by End. @param {KeyboardEvent} event */
  step(event) {
    const placed = this.works.filter(({ id }) => this.boxes.has(id)).map(({ id }) => id);
    const at = placed.findIndex((id) => this.cards.get(id)?.contains(document.activeElement));
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: placed.length - 1 };
    const next = event.key === "ArrowUp" || event.key === "ArrowDown"
      ? this.across(placed, at, event.key === "ArrowDown")
      : steps[/** @type {keyof typeof steps} */ (event.key)];
    if (next === undefined) return;
    event.preventDefault();
    this.cards.get(placed[next])?.querySelector("a")?.focus();
  }

  /** The work of the row above or below that is nearest. @param {string[]} placed @param {number} at @param {boolean} isDown */
  across(placed, at, isDown) {
    const boxes = placed.map((id) => /** @type {import("./layout.js").Box} */ (this.boxes.get(id)));
    const middle = boxes[at].x + boxes[at].width / 2;
    const rows = [...new Set(boxes.map(({ y }) => y))];
    const row = rows[rows.indexOf(boxes[at].y) + (isDown ? 1 : -1)];
    /** @type {number | undefined} */
    let best;
    const distance = (/** @type {number} */ place) => Math.abs(boxes[place].x + boxes[place].width / 2 - middle);
    boxes.forEach(({ y }, place) => {
      if (y === row && (best === undefined || distance(place) < distance(best))) best = place;
    });
    return best;
  }
}

/** @param {Work} work */
function card({ id, metadata }) {
  const { title, artist, date, color } = metadata;
  const frame = h("div", { className: "frame" }, picture(metadata));
  frame.style.backgroundColor = color;
  return h("li", { className: "card" }, go(workAddress(id), { "data-work": id },
    frame,
    h("span", { className: "title" }, title),
    h("span", { className: "by" }, [artist, date].filter(Boolean).join(", ")),
  ));
}

/**
 * The picture of a record: its thumbnail, or the whole of it where that is shown larger.
 * @param {import("./answers.js").Metadata} metadata
 */
export function picture({ title, description, width, height, thumbnail_url }) {
  const stored = thumbnail_url.replace("/thumbnails/", "/images/");
  const small = Math.min(width, Math.round((width * THUMBNAIL) / Math.max(width, height)));
  const image = h("img", {
    alt: description || title,
    width, height, loading: "lazy", decoding: "async", draggable: false,
    srcset: `${thumbnail_url} ${small}w, ${stored} ${Math.max(width, small + 1)}w`,
    sizes: "260px", src: thumbnail_url,
    onload: () => image.classList.add("loaded"),
  });
  return image;
}
