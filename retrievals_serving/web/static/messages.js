// @ts-check
/** @module What is said when something is not as it should be, and what to do then. */

import { counted, find, h } from "./dom.js";

/**
 * @typedef {object} Message
 * @property {string} text
 * @property {string} [action] What the visitor can do then.
 * @property {number | "online"} [wait] Seconds, or for the connection; then it is done by itself.
 */

const AGAIN = "Try again";

/** @param {import("./api.js").Problem} problem @returns {Message} */
export function messageOf({ status, message, retryAfter }) {
  if (status === 0) {
    const text = navigator.onLine
      ? "The collection cannot be reached just now. Please try again in a moment."
      : "You are offline. As soon as you are connected again, this goes on by itself.";
    return { text, action: AGAIN, wait: "online" };
  }
  if (status === 429) {
    const wait = Math.ceil(retryAfter ?? 10);
    return { text: `Those were many questions at once. This goes on by itself in ${counted(wait, "second")}.`, action: AGAIN, wait };
  }
  if (status === 400 || status === 410) { // of a cursor: all else that the page asks is well-formed
    return { text: "The collection was renewed while you looked. Search again to see the rest.", action: "Search again" };
  }
  if (status === 401) return { text: "This collection answers only with a key, or a cookie: please allow it one." };
  if (status === 413) return { text: "This picture is too large. Please take a smaller one." };
  if (status === 503) {
    const wait = Math.ceil(retryAfter ?? 5);
    return { text: `The search is busy, or only just waking up. It goes on by itself in ${counted(wait, "second")}.`, action: AGAIN, wait };
  }
  if (status === 422) return { text: `This cannot be searched: ${message}` };
  return { text: "Something went wrong on our side. Please try again.", action: AGAIN };
}

/**
 * What a visitor is to know of an answer, if anything.
 * @param {import("./answers.js").Found} found
 * @returns {{text: string, isMild?: boolean} | null}
 */
export function remarkOn({ window, relevance }) {
  if (!window) return { text: "Nothing was found. Take a filter away, or say it in other words." };
  if (relevance === "nothing") {
    return { text: "Nothing here fits well. These are the nearest works: fewer or plainer words may find more." };
  }
  if (relevance === "weak") return { text: "These come near; none may be quite what you mean.", isMild: true };
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
 * A message, and what is to be done then: once, when it is asked for or the wait is over, as long as
 * the message is to be seen.
 * @param {Message} message @param {() => void} [act]
 */
export function notice({ text, action, wait }, act = () => {}) {
  const element = h("p", { className: "notice", role: "alert" }, text);
  let isDone = false;
  const proceed = () => {
    if (isDone || !element.checkVisibility()) return;
    isDone = true;
    act();
  };
  if (action) element.append(" ", h("button", { type: "button", onclick: proceed }, action));
  if (wait === "online") addEventListener("online", proceed, { once: true });
  else if (wait) setTimeout(proceed, wait * 1000);
  return element;
}

/** Show a message in the corner, in place of the one before. @param {Message} message @param {() => void} [act] */
export function toast(message, act) {
  const element = notice(message, act);
  element.append(h("button", { type: "button", className: "hold", "aria-label": "Close this note", onclick: () => element.remove() }, "×"));
  find("toast").replaceChildren(element);
}
