import assert from "node:assert/strict";
import { test } from "node:test";

import { Element, page } from "./page.mjs";

const part = (type, children, props = {}) => ({ namespace: "dash_html_components", props: { children, ...props }, type });

const buttons = (element) => element.children.flatMap((child) => (child.tag === "button" ? [child] : buttons(child)));

// What stands in the place of the statistics when some of the server's are shown.
function shown(parts, place = new Element("div"), activeElement = null) {
  const document = { activeElement, createElement: (tag) => new Element(tag), getElementById: () => place };
  place.querySelectorAll = () => buttons(place);
  page(["statistics.js"], { document }).riwayatStatistics.show(parts);
  return place;
}

test("a table has the elements, attributes, looks and text that the server gives it", () => {
  const key = part("Span", undefined, { className: "stats-key", style: { backgroundColor: "#123456" } });
  const cell = part("Td", ["-3.5 °C", part("Small", 7)], { className: "number", "data-label": "Minimum" });
  const place = shown(part("Table", part("Tr", [part("Th", [key, "<b>EWR"], { scope: "row" }), cell]), { "data-tsv": "a\tb" }));
  const [table] = place.children;
  const [head, number] = table.children[0].children;
  assert.deepEqual([table.tag, head.tag, number.tag, number.children[1].tag], ["table", "th", "td", "small"]);
  assert.deepEqual([table.attributes, head.attributes], [{ "data-tsv": "a\tb" }, { scope: "row" }]);
  assert.deepEqual(number.attributes, { class: "number", "data-label": "Minimum" });
  assert.equal(head.children[0].style.backgroundColor, "#123456");
  assert.deepEqual([head.children[1].tag, head.textContent], ["text", "<b>EWR"]); // a name is no markup
  assert.equal(number.textContent, "-3.5 °C7");
});

test("the button that has the focus has it again in the next statistics, beside what else stands there", () => {
  const focused = [];
  const parts = [part("Div", [part("Button", "readings"), part("Button", "drawn")], { key: "stats" }), null, part("Table", "rows")];
  const place = shown(parts);
  const [, drawn] = buttons(place);
  Element.prototype.focus = function () {
    focused.push(this.textContent);
  };
  shown(parts, place, drawn);
  assert.deepEqual([place.children.length, "key" in place.children[0].attributes, focused], [2, false, ["drawn"]]);
});

test("without statistics nothing is left of those before", () => {
  const place = shown(part("Table", "old"));
  assert.equal(shown(null, place).children.length, 0);
});
