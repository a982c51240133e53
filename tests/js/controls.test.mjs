import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

// A field of the view's controls that has the focus, and the page around it.
function controls() {
  const listeners = { document: {}, place: {} };
  const listen = (on) => (name, listener) => (listeners[on][name] = listener);
  const label = { dataset: { option: "y", of: "temperature" }, matches: () => true };
  const told = [];
  const field = {
    value: "",
    focused: 0,
    closest: (selector) => (selector.startsWith("[data-option]") ? label : null),
    focus: () => (field.focused += 1),
    dispatchEvent({ type }) {
      told.push([type, field.value]);
      if (listeners.place[type]) listeners.place[type]({ target: field });
    },
  };
  const place = { addEventListener: listen("place"), contains: (one) => one === field, querySelector: (css) => (css.includes("data-option") ? field : null) };
  const body = {};
  const document = { activeElement: field, addEventListener: listen("document"), body, getElementById: (id) => (id === "views" ? { addEventListener() {} } : place) };
  let answered = null;
  page(["controls.js"], {
    CSS: { escape: (text) => text },
    HTMLInputElement: class {
      set value(text) {
        this.text = text;
      }
    },
    MutationObserver: class {
      constructor(restore) {
        answered = restore;
      }
      observe() {}
    },
    document,
  });
  return {
    answer() {
      document.activeElement = body;
      answered();
    },
    field,
    listeners,
    press: (target) => listeners.document.pointerdown({ target }),
    told,
    write(text) {
      field.value = text;
      listeners.place.input({ target: field });
    },
  };
}

test("a field has the focus again after an answer, until somebody presses elsewhere on the page", () => {
  const { answer, field, press } = controls();
  answer();
  assert.equal(field.focused, 1);
  press({});
  answer();
  assert.equal(field.focused, 1);
});

test("what is written is sent, once, by a press elsewhere and by Enter", () => {
  for (const leave of [({ press }) => press({}), ({ listeners }) => listeners.place.keydown({ key: "Enter" })]) {
    const opened = controls();
    opened.write("10..40");
    leave(opened);
    leave(opened);
    assert.deepEqual(opened.told, [["change", "10..40"]]);
  }
});
