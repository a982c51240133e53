import assert from "node:assert/strict";
import { test } from "node:test";

import { Element, page } from "./page.mjs";

const JULY = { end: 20, from: "2013-07-01", start: 10, text: "July", to: "2013-08-01", words: "July 2013" };

// The search of a page whose job has no figure yet: what it tells Dash, without the emptied field.
function opened() {
  const told = [];
  const field = Object.assign(new Element("input"), { blur() {}, removeAttribute() {}, value: "" });
  const list = new Element("div");
  for (const word of ["add", "draw", "hint", "load", "none", "range", "sensor", "station", "window"]) list.dataset[word] = word;
  const parts = { load: { focus() {} }, main: { dataset: { status: "active" } }, search: field, "search-list": list };
  const rows = [["EWR", "Newark EWR", null, null, null, "2013"]];
  const window = page(["search.js"], {
    dash_clientside: { set_props: (id, props) => id !== "search" && told.push([id, props]) },
    dash_component_api: { getLayout: (id) => ({ props: { "station-rows": { data: { rows } } }[id] }) },
    document: {
      activeElement: field,
      createElement: (tag) => Object.assign(new Element(tag), { scrollIntoView() {} }),
      getElementById: (id) => parts[id] || list.children.find((child) => child.id === id),
      querySelectorAll: () => [],
    },
    riwayatChart: {
      chart: {
        meta: null,
        get whole() {
          return this.meta.whole;
        },
      },
    },
    setTimeout() {},
  });
  const press = (key) => field.listeners.keydown({ key, preventDefault() {}, stopPropagation() {} });
  const write = (text) => {
    field.value = text;
    field.listeners.input();
  };
  return { list, means: window.dash_clientside.search.range, press, told, write };
}

test("Enter on a station loads it", () => {
  const { press, told, write } = opened();
  write("newark");
  press("Enter");
  const [[id, { data }]] = told;
  assert.deepEqual([id, [...data.stations], data.load], ["station-choice", ["EWR"], true]);
});

test("a time goes into the form while there is no figure", () => {
  const { means, press, told, write } = opened();
  write("July");
  means(JULY);
  press("Enter");
  assert.deepEqual(told.map(([id, { value }]) => [id, value]), [["range-preset", null], ["range-start", JULY.from], ["range-end", JULY.to]]);
});

test("what a time meant is asked again after the search was closed", () => {
  const { list, means, press, write } = opened();
  write("July");
  means(JULY);
  assert.equal(list.all("search-item").length, 1);
  press("Escape");
  write("July");
  assert.equal(list.all("search-item").length, 0);
});
