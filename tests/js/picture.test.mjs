import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const CAPTION = ["JFK · Air temperature", "1 Jan 2013 – 2 Jan 2013 EST · America/New_York", "Source: Riwayat, {host} · {date}"];

// A chart of one line on a page of one of the themes, and its picture.
function chartOf(ground, more = {}) {
  const data = [
    { line: { color: ground === "#14181d" ? "#dddd66" : "#0072b2" }, y: new Float64Array([1, 2]) },
    { marker: { colorscale: [[0, "#1d3a4f"], [1, "#f5ec9a"]] }, visible: "legendonly" },
  ];
  const layout = { annotations: [], font: { color: "#9aa5b1" }, height: 300, margin: { b: 38, l: 54, r: 14, t: 22 }, xaxis: { gridcolor: "rgba(227,232,237,0.075)" } };
  const place = { _fullLayout: { height: 300, width: 800 }, data, layout };
  return { config: { locale: "en" }, meta: { caption: CAPTION, ground, legend: 27, picture: "JFK", ...more }, place };
}

function pictured(chart) {
  const events = {};
  const drawn = [];
  const Plotly = { downloadImage: (...what) => drawn.push(what), react: (_place, data, layout) => drawn.push([data, layout]) };
  const parts = { addEventListener: (kind, listener) => (events[kind] = listener), Plotly, riwayatChart: { chart } };
  const document = { documentElement: { lang: "en" } };
  const window = page(["picture.js"], { ...parts, document, location: { host: "weather.example" } });
  return { ...window.riwayatPicture, drawn, events };
}

const bright = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) > 380;

test("a picture of the dark theme is white, its words and lines dark, and its rows as they were", () => {
  const chart = chartOf("#14181d");
  const { data, layout } = pictured(chart).framed(chart, 800);
  assert.deepEqual([layout.paper_bgcolor, layout.plot_bgcolor], ["#ffffff", "#ffffff"]);
  assert.deepEqual([bright(data[0].line.color), bright(layout.font.color), bright(layout.xaxis.gridcolor)], [false, false, false]);
  assert.match(layout.xaxis.gridcolor, /,0\.075\)$/);
  assert.equal(data[0].y, chart.place.data[0].y);
  assert.equal(data.length, 1); // what is hidden is not in it
  assert.equal(chart.place.data[0].line.color, "#dddd66"); // the page stays as it is
});

test("a picture of the light theme keeps its colours", () => {
  const chart = chartOf("#ffffff");
  assert.equal(pictured(chart).framed(chart, 800).data[0].line.color, "#0072b2");
});

test("a scale of colours is turned over and not flattened", () => {
  const chart = chartOf("#14181d");
  chart.place.data[1].visible = true;
  const [low, high] = pictured(chart).framed(chart, 800).data[1].marker.colorscale.map(([, colour]) => colour);
  assert.deepEqual([bright(low), bright(high)], [true, false]);
});

test("a picture says title, range with its zone, source and date, and has room for them", () => {
  const chart = chartOf("#ffffff", { caption: ["A station <b> · ".repeat(20), CAPTION[1], CAPTION[2]] });
  const { layout } = pictured(chart).framed(chart, 800);
  const [title, range, made] = layout.annotations.map(({ text }) => text);
  assert.ok(title.split("<br>").length > 1 && title.includes("&lt;b>"));
  assert.equal(range, CAPTION[1]);
  assert.match(made, /^Source: Riwayat, weather\.example · \d+ \w+ 20\d\d$/);
  assert.equal(layout.height - 300, layout.margin.t - 22 + layout.margin.b - 38);
});

test("on paper there is the picture, and afterwards the page as it was", () => {
  const chart = chartOf("#14181d");
  const { drawn, events } = pictured(chart);
  events.beforeprint();
  assert.equal(drawn[0][1].paper_bgcolor, "#ffffff");
  events.afterprint();
  assert.deepEqual(drawn[1], [chart.place.data, chart.place.layout]);
});

test("a file is named as the server says, twice as sharp as the screen", () => {
  const chart = chartOf("#ffffff");
  const { download, drawn } = pictured(chart);
  download(chart);
  const [, { filename, format, scale }] = drawn[0];
  assert.deepEqual([filename, format, scale], ["JFK", "png", 2]);
});
