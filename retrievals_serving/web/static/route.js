// @ts-check
/** @module What an address of the page shows, and the address of what is to be shown. */

/**
 * @typedef {object} Search
 * @property {string} query
 * @property {string[]} negative What is not to be in the picture.
 * @property {Record<string, string[]>} filters Of `FIELDS`, the values that are let through.
 * @property {string} [picture] Address of a picture of the visitor's, see `picture.js`.
 *
 * @typedef {object} Route
 * @property {"home" | "results" | "work" | "map" | "about"} view
 * @property {Search} search
 * @property {string} [id] Of a work; on the map, of the one it is centred on.
 */

/** The fields that works are filtered by. */
export const FIELDS = ["classification", "artist", "century", "school"];

const MAX_QUERY = 512; // characters

/**
 * @param {{pathname: string, search: string}} address
 * @param {{picture?: string} | null} state
 * @returns {Route}
 */
export function parse({ pathname, search }, state) {
  const values = new URLSearchParams(search);
  /** @type {Search} */
  const asked = {
    query: (values.get("q") ?? "").trim().slice(0, MAX_QUERY),
    negative: values.getAll("not"),
    filters: {},
    picture: state?.picture,
  };
  for (const field of FIELDS) {
    const allowed = values.getAll(field).filter((value) => field !== "century" || /^-?\d{1,3}$/.test(value));
    if (allowed.length) asked.filters[field] = allowed;
  }
  const [, first, ...rest] = pathname.split("/");
  if (first === "works") return { view: "work", search: asked, id: decoded(rest.join("/")) };
  if (first === "map") return { view: "map", search: asked, id: values.get("work") ?? undefined };
  if (first === "about") return { view: "about", search: asked };
  return { view: isEmpty(asked) ? "home" : "results", search: asked };
}

/** @param {string} text Of an address; what is malformed stays as it is. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {Search} search @param {string} [path] */
export function addressOf(search, path = "/") {
  const values = new URLSearchParams();
  if (search.query) values.append("q", search.query);
  for (const word of search.negative) values.append("not", word);
  for (const field of FIELDS) {
    for (const value of search.filters[field] ?? []) values.append(field, value);
  }
  const text = values.toString();
  return text ? `${path}?${text}` : path;
}

/** @param {string} id */
export const workAddress = (id) => `/works/${encodeURIComponent(id).replaceAll("%3A", ":")}`;

/** Whether there is nothing to search for. @param {Search} search */
export const isEmpty = (search) => !search.query && search.picture === undefined;

/**
 * Take the words that are not to be out of what was typed: `-blue`, `-"two boats"`.
 * @param {string} text
 */
export function readWords(text) {
  /** @type {string[]} */
  const negative = [];
  const query = text.replace(/(^|\s)-(?:"([^"]+)"|([\p{L}\p{N}][^\s]*))/gu, (_, before, many, one) => {
    negative.push((many ?? one).trim());
    return before;
  });
  return { query: query.replace(/\s+/g, " ").trim(), negative };
}
