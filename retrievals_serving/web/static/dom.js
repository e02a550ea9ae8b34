// @ts-check
/** @module Elements of the page, made and found. What a record says goes in as text alone. */

/**
 * Make an element. A property that is a function listens; `data-…`, `aria-…` and what the element
 * does not know are attributes; null leaves out.
 * @param {string} name
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | false)} children
 * @returns {any}
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list") /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(.../** @type {(Node | string)[]} */ (children.filter((child) => child)));
  return element;
}

/** @param {string} id @returns {any} */
export const find = (id) => document.getElementById(id);

/**
 * A link within the page.
 * @param {string} href @param {Record<string, any>} properties @param {...(Node | string)} children
 */
export const go = (href, properties, ...children) =>
  h("a", { href, "data-go": "", ...properties }, ...children);

/** Say something to those who listen to the page. @param {string} text */
export function announce(text) {
  find("announcer").textContent = text;
}

/** Whether the visitor wants things to stay where they are. */
export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
