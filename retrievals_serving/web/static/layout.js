// @ts-check
/** @module Rows of pictures that fill the width, each row of one height. */

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Box In px; the picture alone.
 */

const ASPECTS = [0.45, 2.6]; // what is narrower or wider is cut

/** @param {{width: number, height: number}} metadata */
export const aspectOf = ({ width, height }) =>
  Math.min(ASPECTS[1], Math.max(ASPECTS[0], width / height || 1));

/**
 * Lay pictures out. A row is ended by itself and by the picture after it alone, so that what is
 * appended moves nothing: pictures of a row that is not full are placed only at the end.
 * @param {number[]} aspects Width by height of each.
 * @param {object} options
 * @param {number} options.width
 * @param {number} options.target Height that rows are to have about.
 * @param {number} options.gap Between pictures.
 * @param {number} options.below Space under a row.
 * @param {boolean} options.isEnd Whether no more will come.
 * @param {number} [options.rows] The most rows.
 * @param {number} [options.columns] The most pictures in a row.
 * @param {boolean} [options.isEven] Whether every row has the target's height; pictures are cut a little.
 * @returns {{boxes: Box[], height: number}} Boxes of the first pictures, those that have a place.
 */
export function layOut(aspects, { width, target, gap, below, isEnd, rows = Infinity, columns = Infinity, isEven = false }) {
  /** @type {Box[]} */
  const boxes = [];
  let y = 0;
  let first = 0;
  let total = 0;
  const place = (/** @type {number} */ end, /** @type {number} */ height) => {
    let x = 0;
    for (; first < end; first += 1) {
      boxes.push({ x, y, width: aspects[first] * height, height: isEven ? target : height });
      x += aspects[first] * height + gap;
    }
    y += (isEven ? target : height) + below;
    total = 0;
    rows -= 1;
  };
  const filling = (/** @type {number} */ count, /** @type {number} */ sum) => (width - gap * (count - 1)) / sum;
  for (let next = 0; next < aspects.length && rows > 0; next += 1) {
    const count = next - first;
    const before = count ? filling(count, total) : Infinity;
    const after = filling(count + 1, total + aspects[next]);
    if (after <= target || count + 1 === columns) {
      // The row is full with the picture or without it, whichever is nearer to the height.
      if (before / target < target / after) {
        place(next, before);
        total = aspects[next];
        if (rows > 0 && filling(1, total) <= target) place(next + 1, filling(1, total));
      } else place(next + 1, after);
    } else total += aspects[next];
  }
  if (isEnd && first < aspects.length && rows > 0) {
    place(aspects.length, Math.min(target, filling(aspects.length - first, total)));
  }
  return { boxes, height: Math.max(0, y) };
}
