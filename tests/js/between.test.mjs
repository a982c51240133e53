import assert from "node:assert/strict";
import { test } from "node:test";

import { Element, page } from "./page.mjs";

const SERIES = [
  { aggregation: "mean", change: 1.5, decimals: 1, key: "EWR.temperature", sensor: "Air temperature", station: "EWR", unit: "°C", values: [20, 21.5] },
  { aggregation: "sum", change: -2, decimals: 1, drawn: "daily sum", key: "EWR.rainfall", sensor: "Rainfall", station: "EWR", unit: "mm", values: [2, 0] },
];
const BETWEEN = { from: "10", same: false, series: SERIES, times: "1 – 2 Jan", to: "20" };
const STATS = {
  from: "1970-01-01T00:00:10Z",
  series: [
    { mean: 20.25, rows: 1234, sensor: "temperature", station: "EWR", sum: 9999 },
    { mean: 0.1, rows: 3, sensor: "rainfall", station: "EWR", sum: 12.5 },
  ],
  to: "1970-01-01T00:00:20Z",
};

function opened(answer) {
  const asked = [];
  const place = new Element("div");
  Object.assign(place.dataset, { heads: '["Series","A","B","B − A","Mean or total","Rows"]', mean: "mean", title: "Between", total: "total", trouble: "Away" });
  const chart = { config: { locale: "en" }, figure: {}, meta: { flags: "all", revision: "a/b" } };
  const window = page(["readings.js", "between.js"], {
    document: {
      createElement: (tag) => new Element(tag),
      documentElement: { dataset: { prefix: "/cuaca/" }, lang: "id" },
      getElementById: (id) => (id === "between" ? place : { checked: true }),
    },
    fetch: async (path, { headers }) => {
      asked.push(path);
      assert.equal(headers["Accept-Language"], "id");
      if (!answer) throw new Error("network");
      return answer;
    },
    riwayatChart: { chart },
  });
  const { show, span } = window.riwayatBetween;
  const cells = () => place.all("number").filter(({ tag }) => tag === "td").map(({ textContent }) => textContent.replaceAll("\u202f", " "));
  return { asked, cells, chart, place, show, span };
}

const rest = () => new Promise((resolve) => setTimeout(resolve, 1));
const answering = (found, ok = true) => ({ json: async () => found, ok });

test("mean and total between two readings are the server's, of all rows, and flagged ones as the page shows them", async () => {
  const { asked, cells, show, span } = opened(answering(STATS));
  show(BETWEEN);
  assert.equal(span(), null);
  assert.deepEqual(cells().slice(0, 5), ["20.0 °C", "21.5 °C", "+1.5 °C", "…", "…"]);
  await rest();
  assert.deepEqual(asked, ["/cuaca/api/jobs/a%2Fb/stats?from=10&to=20&flagged=true&flags=all"]);
  assert.deepEqual(cells().slice(3, 5), ["20.2 °Cmean", "1 234"]);
  assert.deepEqual(cells().slice(5), ["2.0 mmdaily sum", "0.0 mmdaily sum", "−2.0 mm", "12.5 mmtotal", "3"]);
  assert.deepEqual({ ...span() }, { end: 20000, start: 10000 });
});

test("it is asked once for a figure, and again for what was loaded since, until when the last answer stays", async () => {
  const { asked, cells, chart, show } = opened(answering(STATS));
  show(BETWEEN);
  show(BETWEEN);
  assert.equal(asked.length, 1);
  await rest();
  chart.figure = {};
  show(BETWEEN);
  assert.equal(asked.length, 2);
  assert.equal(cells()[4], "1 234");
});

for (const [what, answer, said] of [
  ["a refusal", answering({ error: { message: "Not yours." } }, false), "Not yours."],
  ["a server that is away", null, "Away"],
]) {
  test(`${what} is said, the readings stay, and it is asked again when it is shown again`, async () => {
    const { asked, cells, place, show } = opened(answer);
    show(BETWEEN);
    await rest();
    assert.equal(place.all("between-trouble")[0].textContent, said);
    assert.deepEqual(cells().slice(0, 5), ["20.0 °C", "21.5 °C", "+1.5 °C", "–", "–"]);
    show(BETWEEN);
    assert.equal(asked.length, 2);
    await rest();
  });
}

test("a place without a value has no words of its bucket", () => {
  const { cells, show } = opened(answering(STATS));
  show({ ...BETWEEN, series: [{ ...SERIES[1], change: undefined, values: [undefined, 0] }] });
  assert.deepEqual(cells().slice(0, 3), ["–", "0.0 mmdaily sum", "–"]);
});

test("an answer does not bring back a series that was hidden while it was on its way", async () => {
  const { asked, cells, show } = opened(answering(STATS));
  show(BETWEEN);
  show({ ...BETWEEN, series: SERIES.slice(1) });
  await rest();
  assert.equal(asked.length, 1);
  assert.deepEqual(cells(), ["2.0 mmdaily sum", "0.0 mmdaily sum", "−2.0 mm", "12.5 mmtotal", "3"]);
});

test("between a time and itself nothing is asked, and without A and B nothing is shown", () => {
  const { asked, cells, place, show } = opened(answering(STATS));
  show({ ...BETWEEN, same: true });
  assert.deepEqual([asked.length, cells()[3]], [0, "–"]);
  show(null);
  assert.deepEqual([place.hidden, place.children.length], [true, 0]);
});
