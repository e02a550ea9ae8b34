// @ts-check
/** @module Narrowing an answer: by what the records say, and by what is not to be in the picture. */

import { getJson } from "./api.js";
import { filtersOf } from "./answers.js";
import { announce, h } from "./dom.js";
import { FIELDS } from "./route.js";

/** @typedef {import("./route.js").Search} Search */

const MANY = 12; // values, from which on a list can be searched

export class FilterBar {
  element = h("div", { className: "filters" });
  /** @type {Search} */ search = { query: "", negative: [], filters: {} };

  /** @param {(search: Search) => void} onChange Called with a narrowed search. */
  constructor(onChange) {
    this.onChange = onChange;
    this.panels = FIELDS.map((field) => new Panel(field, this));
    this.without = withoutPanel(this);
    this.chips = h("ul", { className: "chips", "aria-label": "What narrows the answer" });
    this.element.append(...this.panels.map(({ element }) => element), this.without, this.chips);
    for (const event of ["pointerdown", "focusin"]) addEventListener(event, ({ target }) => this.close(/** @type {Node} */ (target)));
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const panel = event.key === "Escape" && /** @type {Element} */ (event.target).closest("details[open]");
      if (!panel) return;
      this.close();
      panel.querySelector("summary")?.focus();
    });
  }

  /** Close the panels, but the one that holds a node. @param {Node} [inside] */
  close(inside) {
    for (const panel of this.element.querySelectorAll("details[open]")) {
      if (!inside || !panel.contains(inside)) panel.open = false;
    }
  }

  /** @param {Search} search */
  show(search) {
    if (search.query !== this.search.query) this.close();
    this.search = search;
    for (const panel of this.panels) panel.update();
    const chips = FIELDS.flatMap((field) => (search.filters[field] ?? []).map((value) =>
      this.chip(labelOf(field, value), `Take away ${labelOf(field, value)}`, () => this.set(field, value, false))));
    const words = search.negative.map((word) =>
      this.chip(h("span", {}, "without ", h("s", {}, word)), `Let ${word} be there again`, () =>
        this.onChange({ ...this.search, negative: this.search.negative.filter((each) => each !== word) })));
    const own = search.picture !== undefined && search.query ? [this.chip("your picture", "Search without your picture", () =>
      this.onChange({ ...this.search, picture: undefined }))] : [];
    const isHere = this.chips.contains(document.activeElement);
    this.chips.replaceChildren(...own, ...words, ...chips);
    this.chips.hidden = !this.chips.childElementCount;
    if (isHere) (this.chips.querySelector("button") ?? this.element.querySelector("summary")).focus({ preventScroll: true });
  }

  /** @param {string} field @param {string} value @param {boolean} isLet */
  set(field, value, isLet) {
    const others = (this.search.filters[field] ?? []).filter((each) => each !== value);
    this.onChange({ ...this.search, filters: { ...this.search.filters, [field]: isLet ? [...others, value] : others } });
  }

  /** @param {string | Node} text @param {string} label @param {() => void} onRemove */
  chip(text, label, onRemove) {
    return h("li", {}, text, h("button", { type: "button", "aria-label": label, onclick: onRemove }, "×"));
  }
}

/** The values of one field, with how many works have each. */
class Panel {
  /** @type {AbortController | undefined} */ loading;

  /** @param {string} field @param {FilterBar} bar */
  constructor(field, bar) {
    this.field = field;
    this.bar = bar;
    this.summary = h("summary");
    this.list = h("div", { className: "panel" });
    this.element = h("details", { className: "filter", ontoggle: () => this.element.open && this.load() }, this.summary, this.list);
  }

  /** @param {string} value */
  isChosen(value) {
    return Boolean(this.bar.search.filters[this.field]?.includes(value));
  }

  update() {
    const count = this.bar.search.filters[this.field]?.length;
    const name = this.field[0].toUpperCase() + this.field.slice(1);
    this.summary.textContent = count ? `${name} · ${count}` : name;
    this.summary.classList.toggle("on", Boolean(count));
    for (const box of this.list.querySelectorAll("[type=checkbox]")) box.checked = this.isChosen(box.value);
  }

  async load() {
    const { query, filters } = this.bar.search;
    const others = filtersOf({ ...filters, [this.field]: [] });
    const asked = new URLSearchParams({ field: this.field });
    if (query) asked.set("query", query);
    if (others) asked.set("filters", JSON.stringify(others));
    this.loading?.abort();
    const { signal } = (this.loading = new AbortController());
    try {
      const { values } = await getJson(`/facets?${asked}`, signal);
      this.fill(values);
    } catch {
      if (!signal.aborted) this.list.replaceChildren(h("p", { role: "alert" }, "The values cannot be had just now."));
    }
  }

  /** @param {{value: string, count: number}[]} values */
  fill(values) {
    const { field, bar } = this;
    const chosen = bar.search.filters[field] ?? [];
    if (field === "century") values.sort((one, other) => Number(one.value) - Number(other.value));
    const gone = chosen.filter((value) => !values.some((each) => each.value === value)).map((value) => ({ value, count: 0 }));
    const rows = [...gone, ...values].map(({ value, count }) => h("label", {},
      h("input", { type: "checkbox", value, checked: this.isChosen(value), onchange: (/** @type {any} */ event) => bar.set(field, value, event.target.checked) }),
      h("span", {}, labelOf(field, value)), h("small", {}, count.toLocaleString("en"))));
    const name = h("input", { type: "search", placeholder: "Find by name", "aria-label": `Find by name of ${field}`, oninput: () => {
      const typed = plain(name.value);
      for (const row of rows) row.hidden = !plain(row.textContent).includes(typed);
    } });
    this.list.replaceChildren(
      ...(rows.length > MANY ? [name] : []),
      h("fieldset", {}, h("legend", { className: "unseen" }, field), ...rows),
      ...(rows.length ? [] : [h("p", {}, "No work of this answer says.")]),
    );
    announce(`${rows.length} values of ${field}`);
  }
}

/** @param {FilterBar} bar */
function withoutPanel(bar) {
  const field = h("input", { type: "text", maxLength: 100, placeholder: "blue", "aria-label": "What is not to be in the picture" });
  const panel = h("details", { className: "filter" }, h("summary", {}, "Without…"), h("form", {
    className: "panel without",
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const word = field.value.trim();
      field.value = "";
      panel.open = false;
      panel.querySelector("summary").focus();
      if (word && !bar.search.negative.includes(word)) bar.onChange({ ...bar.search, negative: [...bar.search.negative, word] });
    },
  }, h("p", {}, "Leave out pictures that show"), field, h("button", {}, "Leave out")));
  return panel;
}

/** @param {string} field @param {string} value */
export function labelOf(field, value) {
  if (field !== "century") return value;
  const century = Number(value);
  return century > 0 ? `${ordinal(century)} century` : `${ordinal(1 - century)} century BC`;
}

/** @param {number} number */
export function ordinal(number) {
  const rule = new Intl.PluralRules("en", { type: "ordinal" }).select(number);
  return number + ({ one: "st", two: "nd", few: "rd" }[/** @type {string} */ (rule)] ?? "th");
}

/** A text without accents and in lower case. @param {string} text */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
