// @ts-check
/** @module What is said when something is not as it should be, and what to do then. */

import { h } from "./dom.js";

/** @typedef {{text: string, action?: string, wait?: number}} Message `wait` in seconds, then it is done by itself. */

const AGAIN = "Try again";

/** @param {import("./api.js").Problem} problem @returns {Message} */
export function messageOf(problem) {
  if (problem.status === 0) {
    return navigator.onLine
      ? { text: "The collection cannot be reached just now. Please try again in a moment.", action: AGAIN }
      : { text: "You are offline. As soon as you are connected again, the search goes on by itself.", action: AGAIN };
  }
  if (problem.status === 429) {
    const wait = Math.ceil(problem.retryAfter ?? 10);
    return { text: "That were many questions at once. The search goes on by itself in a moment.", action: AGAIN, wait };
  }
  if (problem.status === 410) {
    return { text: "The collection was renewed while you looked. Search again to see the rest.", action: "Search again" };
  }
  if (problem.status === 413) return { text: "This picture is too large. Please take a smaller one." };
  if (problem.status === 503) {
    return { text: "The search is only just waking up. It goes on by itself in a moment.", action: AGAIN, wait: problem.retryAfter ?? 5 };
  }
  if (problem.status === 400 || problem.status === 422) {
    return { text: `This cannot be searched: ${problem.message}` };
  }
  return { text: "Something went wrong on our side. Please try again.", action: AGAIN };
}

/**
 * What a visitor is to know of an answer, if anything.
 * @param {import("./answers.js").Found} found
 * @returns {string | null}
 */
export function remarkOn(found) {
  if (!found.window) return "Nothing was found. Take a filter away, or say it in other words.";
  if (found.relevance === "nothing") {
    return "Nothing here fits well. These are the nearest works: fewer or plainer words may find more.";
  }
  return null;
}

/**
 * What a visitor is to know of the order of an answer, if it is not what it could be.
 * @param {import("./answers.js").Found} found
 * @returns {Message | null}
 */
export function orderOf({ degraded, coverage }) {
  if (degraded.includes("embedder")) {
    return { text: "The pictures cannot be looked at just now; these works have your words in their records.", action: AGAIN };
  }
  if (degraded.includes("reranker")) {
    return { text: "A closer look at the best works is not to be had just now; they are in their first order.", action: AGAIN };
  }
  if (!degraded.includes("deadline")) return null;
  const share = Math.round(100 * (coverage ?? 0));
  return { text: `There was time for a closer look at only ${share} % of the best works; the others are in their first order.`, action: "Search again" };
}

/**
 * @param {Message} message @param {() => void} act
 * @returns {{element: any, stop: () => void}}
 */
export function notice({ text, action, wait }, act) {
  const timer = wait ? setTimeout(act, wait * 1000) : undefined;
  const stop = () => clearTimeout(timer);
  const button = action ? h("button", { type: "button", onclick: () => (stop(), act()) }, action) : null;
  return { element: h("p", { className: "notice", role: "alert" }, text, button && " ", button), stop };
}
