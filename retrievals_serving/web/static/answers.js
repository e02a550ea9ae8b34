// @ts-check
/** @module Answers to searches, kept by the page so that one asked for again comes at once. */

import { getJson, postForAnswers } from "./api.js";
import { pictureOf } from "./picture.js";
import { addressOf } from "./route.js";

/**
 * @typedef {Record<string, any>} Metadata As the API has it.
 * @typedef {{id: string, rank: number, score: number, vector_score: number,
 *   rerank_score: number | null, metadata: Metadata, conditions?: any[] | null}} Result
 *
 * @typedef {object} Found All that is known of an answer.
 * @property {Result[]} results
 * @property {number} window How many there are in all.
 * @property {string | null} cursor Leads to the next page, with the vector.
 * @property {number[]} vector
 * @property {string} release
 * @property {"strong" | "weak" | "nothing" | null} relevance
 * @property {string[]} degraded
 * @property {number | null} coverage
 */

const KEPT = 40; // answers
const WHOLE = ["cache", "explanation"]; // what an answer may lack and be as good

/** @type {Map<string, Found>} */
const kept = new Map();
/** @type {Map<string, Metadata>} */
const works = new Map();
let release = "";

/** What tells one search from another. @param {import("./route.js").Search} search */
export const keyOf = (search) => `${addressOf(search)}#${search.picture ?? ""}`;

/** @param {import("./route.js").Search} search @returns {Found | undefined} */
export const keptAnswer = (search) => kept.get(`${keyOf(search)}{}`);

/** Forget what was answered, as when another release is served. */
export function forget() {
  kept.clear();
  works.clear();
}

/**
 * The filters as the API takes them.
 * @param {Record<string, string[]>} filters @returns {Record<string, any> | undefined}
 */
export function filtersOf(filters) {
  const entries = Object.entries(filters).filter(([, values]) => values.length);
  if (!entries.length) return undefined;
  return Object.fromEntries(entries.map(([field, values]) =>
    [field, field === "century" ? values.map(Number) : values]));
}

/**
 * Search; `onAnswer` is called with what is found first and again when it was put in order.
 * @param {import("./route.js").Search} search @param {AbortSignal} signal
 * @param {(found: Found, isFinal: boolean) => void} onAnswer
 * @param {Record<string, any>} [options] More fields of the request.
 */
export async function searchFor(search, signal, onAnswer, options = {}) {
  const key = keyOf(search) + JSON.stringify(options);
  const known = kept.get(key);
  if (known) return onAnswer(known, true);
  const body = {
    ...(search.query ? { query: search.query } : {}),
    ...(search.negative.length ? { negative: search.negative.join(", ") } : {}),
    ...(filtersOf(search.filters) ? { filters: filtersOf(search.filters) } : {}),
    ...options,
  };
  const picture = pictureOf(search.picture);
  await postForAnswers(picture ? "/search/image" : "/search", picture ? form(body, picture) : body, signal, (answer, isFinal) => {
    const found = read(answer);
    if (isFinal && found.degraded.every((lack) => WHOLE.includes(lack))) keep(key, found);
    onAnswer(found, isFinal);
  });
}

/** Get the next page of what was found. @param {Found} found @param {AbortSignal} signal */
export async function more(found, signal) {
  /** @type {Result[]} */
  let results = [];
  await postForAnswers("/search-more", { query_vector: found.vector, cursor: found.cursor }, signal, (answer) => {
    const next = read(answer);
    results = next.results;
    found.cursor = next.cursor;
  });
  found.results.push(...results);
  return results;
}

/** The record of a work. @param {string} id @param {AbortSignal} [signal] @returns {Promise<Metadata>} */
export async function record(id, signal) {
  return works.get(id) ?? noted(await getJson(`/artworks/${encodeURIComponent(id)}`, signal));
}

/** The records of works, those that are known without asking. @param {string[]} ids @param {AbortSignal} [signal] */
export async function records(ids, signal) {
  const unknown = ids.filter((id) => !works.has(id));
  if (unknown.length) {
    const query = unknown.map((id) => `id=${encodeURIComponent(id)}`).join("&");
    for (const work of await getJson(`/artworks?${query}`, signal)) noted(work);
  }
  return ids.map((id) => ({ id, metadata: /** @type {Metadata} */ (works.get(id)) }));
}

/** A record, if the page has it. @param {string} id */
export const knownRecord = (id) => works.get(id);

/** Works like a work. @param {string} id @param {AbortSignal} signal @returns {Promise<Found>} */
export async function similar(id, signal) {
  const key = `similar ${id}`;
  const found = kept.get(key) ?? read(await getJson(`/artworks/${encodeURIComponent(id)}/similar?top_k=24`, signal));
  keep(key, found);
  return found;
}

/** @param {{id: string, metadata: Metadata}} work */
function noted({ id, metadata }) {
  works.set(id, metadata);
  return metadata;
}

/** @param {any} answer @returns {Found} */
function read(answer) {
  if (release !== answer.release) forget();
  release = answer.release;
  answer.results.forEach(noted);
  const { results, window, cursor, relevance, degraded } = answer;
  return { results, window, cursor, relevance, degraded, release, vector: answer.query_vector, coverage: answer.rerank_coverage };
}

/** @param {string} key @param {Found} found */
function keep(key, found) {
  kept.delete(key);
  kept.set(key, found);
  if (kept.size > KEPT) kept.delete(/** @type {string} */ (kept.keys().next().value));
}

/** @param {Record<string, any>} body @param {Blob} picture */
function form(body, picture) {
  const data = new FormData();
  data.append("file", picture, "picture.jpg");
  for (const [name, value] of Object.entries(body)) {
    data.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return data;
}
