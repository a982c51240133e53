import assert from "node:assert/strict";
import { test } from "node:test";

import { Element, page } from "./page.mjs";

// The row of views of a page, and what the server says of a job.
function row(fits, second = "scatter") {
  const tabs = ["trend", second, "wind", "table"].map((view) => {
    const tab = new Element("button");
    Object.assign(tab, { dataset: { view, views: { compare: "compare earlier" }[view] || view }, title: "", removeAttribute: (name) => delete tab.attributes[name] });
    return tab;
  });
  const views = new Element("div");
  views.append(...tabs);
  Object.assign(views, { dataset: { fits }, querySelectorAll: () => tabs });
  const observed = [];
  class MutationObserver {
    constructor(changed) {
      observed.push(changed);
    }
    observe() {}
  }
  page(["tabs.js"], { MutationObserver, document: { getElementById: () => views } });
  const say = (text) => {
    views.dataset.fits = text;
    observed[0]();
  };
  return { say, tabs, shown: () => views.children.map(({ dataset }) => dataset.view) };
}

test("a tab that does not fit says why to a pointer and to a reader, until it fits", () => {
  const { say, tabs } = row(JSON.stringify({ unfit: { scatter: "Needs two series, not 1." }, absent: [] }));
  assert.deepEqual({ ...tabs[1].attributes }, { "aria-disabled": "true", "aria-description": "Needs two series, not 1." });
  assert.equal(tabs[1].title, "Needs two series, not 1.");
  assert.deepEqual({ ...tabs[2].attributes }, {});
  say(JSON.stringify({ unfit: {}, absent: [] }));
  assert.deepEqual({ ...tabs[1].attributes }, {});
  assert.equal(tabs[1].title, "");
});

test("a tab that is not granted is not there, and comes back in its place", () => {
  const { say, shown } = row(JSON.stringify({ unfit: {}, absent: ["scatter", "table"] }));
  assert.deepEqual(shown(), ["trend", "wind"]);
  say("{}");
  assert.deepEqual(shown(), ["trend", "scatter", "wind", "table"]);
});

test("a tab of several views is dimmed, or gone, only when none of them is left", () => {
  const { say, shown, tabs } = row("{}", "compare");
  say(JSON.stringify({ unfit: { compare: "Needs years." }, absent: [] }));
  assert.equal(tabs[1].title, "");
  say(JSON.stringify({ unfit: { compare: "Needs years.", earlier: "Needs a series." }, absent: ["compare"] }));
  assert.deepEqual([tabs[1].title, shown()[1]], ["Needs years.", "compare"]);
  say(JSON.stringify({ unfit: {}, absent: ["compare", "earlier"] }));
  assert.deepEqual(shown(), ["trend", "wind", "table"]);
});
