// @ts-check
/** @module The map drawn: dots straight into the pixels, and pictures where few works are in sight. */

const MOST_PIXELS = 2_400_000; // of the canvas, so that a frame stays short
const PICTURES = 88; // works in sight, up to which they are pictures: with 12 in the middle, one request
const KEPT = 600; // pictures that are held, several times what is in sight
const FAINT = 0.82; // share of the paper in a dot that is not lit up

export class Painter {
  /** @type {Map<number, HTMLImageElement>} */ pictures = new Map();
  /** @type {number[]} */ lit = [];
  /** @type {number | null} */ marked = null;
  ratio = 1; // pixels of the canvas in one of the page
  dot = 1; // diameter, in pixels of the canvas
  image = new ImageData(1, 1);
  pixels = new Uint32Array(1);
  full = new Uint32Array(0); // colour of each dot
  faint = new Uint32Array(0); // where others are lit up
  paper = 0;
  styles = { sepia: "", ink: "", paper: "" };

  /** @param {HTMLCanvasElement} canvas @param {import("./map-data.js").MapData} data */
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.resize();
  }

  /** Hold the picture of a work, and let the one go that is held longest. @param {number} work @param {HTMLImageElement} image */
  keep(work, image) {
    this.pictures.set(work, image);
    if (this.pictures.size > KEPT) this.pictures.delete(/** @type {number} */ (this.pictures.keys().next().value));
  }

  /** Take the size of the element, and the colours of the page. */
  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.ratio = Math.min(devicePixelRatio, Math.sqrt(MOST_PIXELS / Math.max(1, width * height)));
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    const styles = getComputedStyle(this.canvas);
    const valueOf = (/** @type {string} */ name) => styles.getPropertyValue(`--${name}`);
    this.styles = { sepia: valueOf("sepia"), ink: valueOf("ink"), paper: valueOf("paper") };
    const paper = (this.styles.paper.match(/[0-9a-f]{2}/gi) ?? []).map((part) => parseInt(part, 16));
    this.paper = pack(paper[0], paper[1], paper[2]);
    const { colors, count } = this.data;
    this.full = new Uint32Array(count);
    this.faint = new Uint32Array(count);
    for (let at = 0; at < count; at += 1) {
      const [red, green, blue] = [colors[3 * at], colors[3 * at + 1], colors[3 * at + 2]];
      const mix = (/** @type {number} */ value, /** @type {number} */ part) => value + (paper[part] - value) * FAINT;
      this.full[at] = pack(red, green, blue);
      this.faint[at] = pack(mix(red, 0), mix(green, 1), mix(blue, 2));
    }
  }

  /**
   * @param {{x: number, y: number, scale: number}} view The middle, and px of a step of the map.
   * @param {number} whole The scale at which the whole map is seen.
   * @returns {number[]} Works in sight that could be shown as pictures; empty where they are many.
   */
  paint(view, whole) {
    const { width, height } = this.canvas;
    const scale = view.scale * this.ratio;
    const left = width / 2 - view.x * scale;
    const top = height / 2 - view.y * scale;
    const reach = { x: width / 2 / scale, y: height / 2 / scale };
    const near = this.data.within(view.x - reach.x, view.y - reach.y, view.x + reach.x, view.y + reach.y, PICTURES);
    const isNear = near.length <= PICTURES;
    const side = Math.sqrt((0.24 * width * height) / Math.max(1, this.data.count)) * (view.scale / whole) ** 0.55;
    this.dot = Math.max(1.6 * this.ratio, Math.min(13 * this.ratio, side));
    this.dots(left, top, scale, Math.max(2, Math.round(this.dot)));
    this.context.putImageData(this.image, 0, 0);
    const pictured = isNear ? this.drawPictures(near, left, top, scale) : new Set();
    this.rings(left, top, scale, pictured);
    return isNear ? near : [];
  }

  /** Fill the pixels. @param {number} left @param {number} top @param {number} scale @param {number} size px */
  dots(left, top, scale, size) {
    const { places, count } = this.data;
    const { width, height } = this.canvas;
    const pixels = this.pixels;
    const colors = this.lit.length ? this.faint : this.full;
    const half = size / 2;
    pixels.fill(this.paper);
    const cover = coverOf(size);
    for (let at = 0; at < count; at += 1) {
      const x = Math.round(left + places[2 * at] * scale - half);
      const y = Math.round(top + places[2 * at + 1] * scale - half);
      if (x < 0 || y < 0 || x + size > width || y + size > height) continue;
      const color = colors[at];
      for (let row = 0, part = 0; row < size; row += 1) {
        for (let pixel = (y + row) * width + x, end = pixel + size; pixel < end; pixel += 1, part += 1) {
          if (cover[part] === 256) pixels[pixel] = color;
          else if (cover[part]) pixels[pixel] = mixed(pixels[pixel], color, cover[part]);
        }
      }
    }
  }

  /**
   * Draw works as pictures, those that are lit up over the others; return those that were drawn.
   * @param {number[]} works @param {number} left @param {number} top @param {number} scale
   */
  drawPictures(works, left, top, scale) {
    const lit = new Set(this.lit);
    const drawn = new Set();
    const { width, height } = this.canvas;
    const side = Math.min(150 * this.ratio, Math.max(34 * this.ratio, Math.sqrt((0.3 * width * height) / Math.max(1, works.length))));
    for (const at of [...works].sort((one, other) => Number(lit.has(one)) - Number(lit.has(other)))) {
      const picture = this.pictures.get(at);
      if (!picture?.complete || !picture.naturalWidth) continue;
      const shrink = side / Math.max(picture.naturalWidth, picture.naturalHeight);
      const [w, h] = [picture.naturalWidth * shrink, picture.naturalHeight * shrink];
      const [x, y] = [left + this.data.places[2 * at] * scale - w / 2, top + this.data.places[2 * at + 1] * scale - h / 2];
      this.context.globalAlpha = lit.size && !lit.has(at) ? 0.3 : 1;
      this.context.drawImage(picture, x, y, w, h);
      drawn.add(at);
      if (!lit.has(at) && at !== this.marked) continue;
      this.context.globalAlpha = 1;
      this.context.lineWidth = 3 * this.ratio;
      this.context.strokeStyle = at === this.marked ? this.styles.ink : this.styles.sepia;
      this.context.strokeRect(x, y, w, h);
    }
    this.context.globalAlpha = 1;
    return drawn;
  }

  /** Mark dots that are lit up or pointed at. @param {number} left @param {number} top @param {number} scale @param {Set<number>} pictured */
  rings(left, top, scale, pictured) {
    const { context, data } = this;
    const radius = Math.max(4.5 * this.ratio, this.dot * 0.62);
    const circle = (/** @type {number} */ at, /** @type {number} */ size) => {
      context.beginPath();
      context.arc(left + data.places[2 * at] * scale, top + data.places[2 * at + 1] * scale, size, 0, 2 * Math.PI);
    };
    for (const at of [...this.lit].reverse()) {
      if (pictured.has(at)) continue;
      circle(at, radius + 2 * this.ratio);
      context.fillStyle = this.styles.paper;
      context.fill();
      circle(at, radius);
      context.fillStyle = this.styles.sepia;
      context.fill();
    }
    if (this.marked === null || pictured.has(this.marked)) return;
    circle(this.marked, radius + 5 * this.ratio);
    context.lineWidth = 2 * this.ratio;
    context.strokeStyle = this.styles.ink;
    context.stroke();
  }
}

/** How much of each pixel of a square a disc in it covers, of 256. @param {number} size px */
function coverOf(size) {
  if (size < 4) return new Uint16Array(size * size).fill(256);
  return Uint16Array.from({ length: size * size }, (_, part) => {
    const out = Math.hypot((part % size) + 0.5 - size / 2, Math.floor(part / size) + 0.5 - size / 2) - size / 2;
    return 256 * Math.min(1, Math.max(0, 0.5 - out));
  });
}

/** @param {number} under @param {number} over @param {number} share Of `over`, of 256. */
function mixed(under, over, share) {
  const rest = 256 - share;
  const outer = ((under & 0xff00ff) * rest + (over & 0xff00ff) * share) >>> 8;
  const inner = ((under >>> 8) & 0xff) * rest + ((over >>> 8) & 0xff) * share;
  return (0xff000000 | (outer & 0xff00ff) | (inner & 0xff00)) >>> 0;
}

/** A pixel, as it lies in memory. @param {number} red @param {number} green @param {number} blue */
const pack = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
