// @ts-check
/** @module Asking the server, which answers in JSON, in a stream of events, or with a problem. */

/** What went wrong, as the server says it; status 0 where it cannot be reached. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail @param {number} [retryAfter] seconds */
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * @param {string} path @param {RequestInit} [options] @param {boolean} [isKnown] Whether a cookie was just had.
 * @returns {Promise<Response>}
 */
export async function ask(path, options = {}, isKnown = false) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw new Problem(0, "The server cannot be reached.");
  }
  if (response.ok) return response;
  if (response.status === 401 && !isKnown) {
    // The cookie of a page that stood open for long is over; the page brings another.
    await fetch("/", { cache: "no-store" }).catch(() => {});
    return ask(path, options, true);
  }
  const body = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("Retry-After"));
  throw new Problem(response.status, body.detail ?? response.statusText, seconds || undefined);
}

/** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
export const getJson = async (path, signal) => (await ask(path, { signal })).json();

/**
 * Post what is asked, and call `onAnswer` with each answer that comes: one where the server sends
 * JSON, two where it streams. The last one is final; a stream that ends before it is a problem.
 * @param {string} path @param {object | FormData} body @param {AbortSignal} signal
 * @param {(answer: any, isFinal: boolean) => void} onAnswer
 */
export async function postForAnswers(path, body, signal, onAnswer) {
  const isForm = body instanceof FormData;
  const response = await ask(path, {
    method: "POST",
    signal,
    headers: { Accept: "text/event-stream, application/json", ...(isForm ? {} : { "Content-Type": "application/json" }) },
    body: isForm ? body : JSON.stringify(body),
  });
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    onAnswer(await response.json(), true);
    return;
  }
  let last = null;
  let isFinal = false;
  for await (const [event, data] of events(response)) {
    if (event === "error") throw new Problem(data.status, data.detail);
    if (event === "done") {
      if (!isFinal) onAnswer(last, true);
      return;
    }
    last = data;
    isFinal = event === "reranked";
    onAnswer(last, isFinal);
  }
  throw new Problem(0, "The answer ended before it was whole.");
}

/** The events of a stream. @param {Response} response @returns {AsyncGenerator<[string, any]>} */
async function* events(response) {
  const reader = /** @type {ReadableStream} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") throw error;
      throw new Problem(0, "The connection was lost.");
    }
    if (part.done) return;
    text = (text + part.value).replaceAll("\r\n", "\n");
    const blocks = text.split("\n\n");
    text = /** @type {string} */ (blocks.pop());
    for (const block of blocks) {
      const lines = block.split("\n");
      const valueOf = (/** @type {string} */ name) => lines.filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trimStart()).join("\n");
      const data = valueOf("data");
      if (valueOf("event")) yield [valueOf("event"), data ? JSON.parse(data) : null];
    }
  }
}
