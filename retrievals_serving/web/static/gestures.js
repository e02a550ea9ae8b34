// @ts-check
/** @module What pointer, wheel and keys do to something that is panned and zoomed. */

export const STEP = 1.6; // of a key or a button
const LINE = 33; // px, of a wheel that counts in lines
const FAR = 80; // px, of an arrow key
const STILL = 6; // px that a tap may move

/**
 * @typedef {object} Handlers
 * @property {(x: number, y: number) => void} pan By px.
 * @property {(factor: number, x: number, y: number) => void} zoom About a point, in px from the middle.
 * @property {() => void} reset
 * @property {() => boolean} isNear Whether it is zoomed in: else wheel and arrows are the page's.
 * @property {(x: number, y: number) => void} [tap] At a point, in px from the middle.
 * @property {(x: number, y: number) => void} [hover]
 */

/** @param {HTMLElement} element @param {Handlers} handlers */
export function listenTo(element, { pan, zoom, reset, isNear, tap, hover }) {
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  let moved = 0;
  const place = (/** @type {MouseEvent} */ { clientX, clientY }) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  };
  const end = (/** @type {PointerEvent} */ event) => pointers.delete(event.pointerId);
  const listeners = {
    pointerdown(/** @type {PointerEvent} */ event) {
      if (event.button) return;
      if (!pointers.size) moved = 0;
      pointers.set(event.pointerId, place(event));
      element.setPointerCapture(event.pointerId);
    },
    pointermove(/** @type {PointerEvent} */ event) {
      const last = pointers.get(event.pointerId);
      const at = place(event);
      if (!last) return hover?.(at.x, at.y);
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, each]) => each);
      pointers.set(event.pointerId, at);
      moved += Math.hypot(at.x - last.x, at.y - last.y);
      if (!other) return pan(at.x - last.x, at.y - last.y);
      const [now, before] = [at, last].map(({ x, y }) => Math.max(1, Math.hypot(x - other.x, y - other.y)));
      zoom(now / before, (at.x + other.x) / 2, (at.y + other.y) / 2);
    },
    pointerup(/** @type {PointerEvent} */ event) {
      const at = place(event);
      if (end(event) && moved < STILL) tap?.(at.x, at.y);
    },
    pointercancel: end,
    dblclick(/** @type {MouseEvent} */ event) {
      const { x, y } = place(event);
      if (isNear() && !tap) reset();
      else zoom(3, x, y);
    },
    wheel(/** @type {WheelEvent} */ event) {
      if (!event.ctrlKey && !isNear()) return;
      event.preventDefault();
      const { x, y } = place(event);
      const turned = event.deltaY * (event.deltaMode ? LINE : 1);
      zoom(Math.exp(-turned * (event.ctrlKey ? 0.01 : 0.002)), x, y);
    },
    keydown(/** @type {KeyboardEvent} */ event) {
      /** @type {Record<string, () => void>} */
      const keys = {
        "+": () => zoom(STEP, 0, 0), "=": () => zoom(STEP, 0, 0), "-": () => zoom(1 / STEP, 0, 0), 0: reset,
      };
      if (isNear()) {
        Object.assign(keys, {
          ArrowLeft: () => pan(FAR, 0), ArrowRight: () => pan(-FAR, 0), ArrowUp: () => pan(0, FAR), ArrowDown: () => pan(0, -FAR),
        });
      }
      if (event.altKey || event.ctrlKey || event.metaKey || !keys[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    },
  };
  for (const [name, listener] of Object.entries(listeners)) {
    element.addEventListener(name, /** @type {any} */ (listener), { passive: false });
  }
}
