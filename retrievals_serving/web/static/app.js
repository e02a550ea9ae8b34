"use strict";

const find = (id) => document.getElementById(id);
let last = null; // the last page shown: its cursor leads to the next

async function ask(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function element(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

// What a record says goes into the page as text, and its address only if it is one of the web.
function card({ metadata }) {
  const work = element("a", "work", "");
  if (/^https?:\/\//.test(metadata.artwork_url)) work.href = metadata.artwork_url;
  const picture = document.createElement("img");
  Object.assign(picture, {
    src: metadata.thumbnail_url, alt: metadata.description || metadata.title, loading: "lazy",
    width: metadata.width, height: metadata.height,
  });
  picture.style.aspectRatio = `${metadata.width} / ${metadata.height}`;
  picture.style.backgroundColor = metadata.color;
  const words = element("div", "words", "");
  for (const name of ["title", "artist", "date"]) words.append(element("p", name, metadata[name]));
  work.append(picture, words);
  return work;
}

async function show(path, body) {
  const status = find("status");
  status.className = "";
  status.textContent = "Looking…";
  document.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  try {
    last = await ask(path, body);
    find("results").append(...last.results.map(card));
    const shown = find("results").childElementCount;
    status.textContent = last.window ? `${shown} of ${last.window} works` : "Nothing found.";
    find("more").hidden = last.cursor === null;
  } catch (error) {
    status.className = "problem";
    status.textContent = error.message;
  }
  document.querySelectorAll("button").forEach((button) => { button.disabled = false; });
}

find("search").addEventListener("submit", (event) => {
  event.preventDefault();
  find("results").replaceChildren();
  find("more").hidden = true;
  show("/search", { query: find("query").value });
});
find("more").addEventListener("click", () => {
  show("/search-more", { query_vector: last.query_vector, cursor: last.cursor });
});
