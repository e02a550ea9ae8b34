// @ts-check
/** @module The works of the map, and which of them are near a point or within a frame. */

const PER_CELL = 4; // works, on average

export class MapData {
  across = 1; // cells in a row of them
  cell = 1; // side of one
  starts = new Uint32Array(0); // of each cell, its place in `order`
  order = new Uint32Array(0); // works, cell by cell

  /** @param {ArrayBuffer} content As `/map.bin` gives it. */
  constructor(content) {
    const count = new DataView(content).getUint32(0, true);
    this.count = count;
    this.places = new Int16Array(content, 4, 2 * count); // x and y of each
    this.colors = new Uint8Array(content, 4 + 4 * count, 3 * count); // red, green and blue of each
    this.ids = new TextDecoder().decode(new Uint8Array(content, 4 + 7 * count)).split("\n");
    this.bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    for (let at = 0; at < count; at += 1) {
      const [x, y] = [this.places[2 * at], this.places[2 * at + 1]];
      if (x < this.bounds.left) this.bounds.left = x;
      if (x > this.bounds.right) this.bounds.right = x;
      if (y < this.bounds.top) this.bounds.top = y;
      if (y > this.bounds.bottom) this.bounds.bottom = y;
    }
    this.sort();
  }

  /** Put the works into square cells, each with the works of a run of `order`. */
  sort() {
    const { left, top, right, bottom } = this.bounds;
    const extent = Math.max(1, right - left, bottom - top);
    this.across = Math.max(1, Math.round(Math.sqrt(this.count / PER_CELL)));
    this.cell = (extent + 1) / this.across;
    const cells = new Uint32Array(this.count);
    const starts = (this.starts = new Uint32Array(this.across ** 2 + 1));
    for (let at = 0; at < this.count; at += 1) {
      cells[at] = this.column(this.places[2 * at], left) + this.across * this.column(this.places[2 * at + 1], top);
      starts[cells[at] + 1] += 1;
    }
    for (let cell = 0; cell < starts.length - 1; cell += 1) starts[cell + 1] += starts[cell];
    const next = starts.slice();
    this.order = new Uint32Array(this.count);
    for (let at = 0; at < this.count; at += 1) this.order[next[cells[at]]++] = at;
  }

  /** @param {number} value @param {number} start */
  column(value, start) {
    return Math.min(this.across - 1, Math.max(0, Math.floor((value - start) / this.cell)));
  }

  /**
   * The works within a frame; no more than `most`.
   * @param {number} left @param {number} top @param {number} right @param {number} bottom
   */
  within(left, top, right, bottom, most = Infinity) {
    /** @type {number[]} */
    const found = [];
    const bounds = this.bounds;
    const [first, last] = [this.column(left, bounds.left), this.column(right, bounds.left)];
    for (let row = this.column(top, bounds.top); row <= this.column(bottom, bounds.top); row += 1) {
      const end = this.starts[row * this.across + last + 1];
      for (let place = this.starts[row * this.across + first]; place < end; place += 1) {
        const at = this.order[place];
        const [x, y] = [this.places[2 * at], this.places[2 * at + 1]];
        if (x >= left && x <= right && y >= top && y <= bottom) found.push(at);
        if (found.length > most) return found;
      }
    }
    return found;
  }

  /** The works nearest to a point, at most `radius` away. @param {number} x @param {number} y @param {number} count */
  nearest(x, y, count, radius = Infinity) {
    const distance = (/** @type {number} */ at) => Math.hypot(this.places[2 * at] - x, this.places[2 * at + 1] - y);
    const widest = Math.min(radius, 2 * this.across * this.cell + Math.hypot(x - this.bounds.left, y - this.bounds.top));
    for (let reach = Math.min(this.cell, widest); ; reach = Math.min(2 * reach, widest)) {
      const found = this.within(x - reach, y - reach, x + reach, y + reach).filter((at) => distance(at) <= reach);
      if (found.length >= count || reach >= widest) {
        return found.sort((one, other) => distance(one) - distance(other)).slice(0, count);
      }
    }
  }
}
