import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

// A page with a button; `press` clicks it and tells what was copied, and in which way.
function copying(dataset, { clipboard, table = null }) {
  const clicks = [];
  const copied = [];
  const area = { style: {}, select() {}, remove() {} };
  page(["page.js"], {
    document: {
      addEventListener: (name, listener, early) => name === "click" && !early && clicks.push(listener),
      createElement: () => area,
      documentElement: { dataset: {} },
      execCommand: () => copied.push(["area", area.value]),
      querySelector: () => table,
      querySelectorAll: () => [],
    },
    fetch: () => null,
    matchMedia: () => ({ addEventListener() {} }),
    navigator: { clipboard: clipboard && { writeText: (text) => clipboard(text, copied) } },
    setInterval() {},
    setTimeout() {},
  });
  const button = { dataset, parentElement: { append() {} }, textContent: "Copy" };
  const target = { closest: (selector) => (selector.includes("[data-copy]") ? button : null) };
  return {
    button,
    press: async () => {
      for (const click of clicks) click({ target });
      await new Promise((resolve) => setTimeout(resolve, 0));
      return copied;
    },
  };
}

const allowed = async (text, copied) => void copied.push(["clipboard", text]);
const forbidden = async () => {
  throw new Error("not allowed");
};

test("a button copies its text and says so", async () => {
  const { button, press } = copying({ copy: "a password", copied: "Copied" }, { clipboard: allowed });
  assert.deepEqual(await press(), [["clipboard", "a password"]]);
  assert.equal(button.textContent, "Copied");
});

for (const [what, clipboard] of [["forbids it", forbidden], ["has none", undefined]]) {
  test(`where the browser's clipboard ${what}, a field is copied`, async () => {
    assert.deepEqual(await copying({ copy: "x" }, { clipboard }).press(), [["area", "x"]]);
  });
}

test("the statistics are copied as the text of their table", async () => {
  const table = { dataset: { tsv: "a\tb" } };
  assert.deepEqual(await copying({ copyFrom: "#stats [data-tsv]" }, { clipboard: allowed, table }).press(), [["clipboard", "a\tb"]]);
});

test("without statistics nothing is copied and nothing said", async () => {
  const { button, press } = copying({ copyFrom: "#stats [data-tsv]", copied: "Copied" }, { clipboard: allowed });
  assert.deepEqual(await press(), []);
  assert.equal(button.textContent, "Copy");
});
