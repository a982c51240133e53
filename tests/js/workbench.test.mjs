import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

// The page's views; what is chosen of them.
function workbench(view, options) {
  const listeners = {};
  const chosen = [];
  const window = page(["workbench.js"], {
    document: {
      addEventListener: (name, listener) => (listeners[name] = listener),
      documentElement: { dataset: { later: "{}" } },
      getElementById: () => null,
      querySelectorAll: () => [],
    },
    riwayatChart: { choose: (_view, options) => chosen.push({ ...options }) },
  });
  window.riwayatWorkbench.show(view, options);
  const press = (dataset) => listeners.click({ target: { closest: (selector) => (selector === "[data-option][data-value]" ? { dataset } : null) } });
  const tab = (name) => listeners.click({ target: { closest: (selector) => (selector.startsWith("#views") ? { dataset: { view: name } } : null) } });
  return { chosen, press, tab };
}

test("a choice that holds without being chosen is no option, and none where it holds already", () => {
  const { chosen, press } = workbench("trend", { smooth: "7d" });
  const panel = (value) => press({ option: "panel", usual: "unit", value });
  panel("unit");
  assert.deepEqual(chosen, []);
  panel("own");
  panel("unit");
  assert.deepEqual(chosen, [{ smooth: "7d", panel: "own" }, { smooth: "7d" }]);
  press({ option: "smooth", value: "" });
  assert.deepEqual(chosen.at(-1), {});
});

test("of many choices each press takes one away or brings it back, and all of them are no option", () => {
  const { chosen, press } = workbench("compare", {});
  const year = (value) => press({ option: "years", many: "", usual: "2022,2023,2024", value });
  year("2023");
  year("2022");
  year("2023");
  year("2022");
  const expected = [{ years: "2022,2024" }, { years: "2024" }, { years: "2023,2024" }, {}];
  assert.deepEqual(chosen, expected);
  year("2024");
  year("2023");
  year("2022");
  assert.deepEqual(chosen.at(-1), {}); // none is as good as all
});

test("which flags count is the same in all views, whatever a view's own options were", () => {
  const { chosen, press, tab } = workbench("trend", { panel: "own" });
  press({ option: "flags", usual: "hard", value: "none" });
  tab("calendar");
  assert.deepEqual(chosen.at(-1), { flags: "none" });
  press({ option: "flags", usual: "hard", value: "hard" });
  tab("trend");
  assert.deepEqual(chosen.at(-1), { panel: "own" });
  press({ option: "flags", usual: "hard", value: "all" });
  tab("quality");
  tab("trend");
  assert.deepEqual(chosen.at(-1), { flags: "all", panel: "own" });
});
