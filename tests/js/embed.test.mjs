import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const HOUR = 3600000;
const WHOLE = [0, 100 * HOUR];

function element() {
  const made = { addEventListener() {}, append() {}, children: [], clientWidth: 800, dataset: {}, hidden: false, offsetHeight: 20 };
  return Object.assign(made, { on() {}, removeAttribute() {}, replaceChildren() {}, setAttribute() {}, firstChild: {} });
}

// The frame of an embedded chart, with a server that answers as it is told; a figure is answered
// when `answer` is called.
function opened(job) {
  const elements = new Map();
  const byId = (id) => elements.get(id) || elements.set(id, element()).get(id);
  const figures = [];
  const polls = [];
  const reply = (value) => ({ ok: true, json: async () => value });
  const request = { stations: ["a"], sensors: ["t"], start: 0, end: 1, resolution: "auto", timezone: "UTC" };
  const fetch = async (path, { signal }) => {
    if (path.includes("/figure?")) {
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(Object.assign(new Error("aborted"), { name: "AbortError" })));
        const answer = ({ start = WHOLE[0], end = WHOLE[1], complete = true } = {}) =>
          resolve(reply({ data: [], layout: { meta: { start, end, complete, whole: WHOLE, offset: 0 }, xaxis: {} } }));
        figures.push({ answer, path });
      });
    }
    if (path.includes("/jobs/")) return polls.push(path) && reply({ ...job });
    return reply({ title: "", view: "trend", options: {}, may_export: false, controls: false, rolling: false, job: "j", request });
  };
  const charts = [];
  const window = page(["view.js"], { Plotly: { react: async () => {}, relayout() {} } });
  class Chart extends window.riwayatView.Chart {
    constructor(...all) {
      super(...all);
      charts.push(this);
    }
  }
  const body = { dataset: { words: '{"percent":"","reading":""}', api: "/api/", plotly: "/plotly.js" } };
  page(["embed.js"], {
    Intl,
    Plotly: window.Plotly,
    document: {
      addEventListener() {},
      body,
      createElement: element,
      documentElement: { dataset: { theme: "light" }, lang: "en" },
      getElementById: byId,
      querySelector: () => byId("frame"),
    },
    fetch,
    devicePixelRatio: 2,
    innerHeight: 400,
    innerWidth: 800,
    parent: { postMessage() {} },
    location: { hash: "#token=t", href: "http://127.0.0.1/", search: "" },
    riwayatView: { ...window.riwayatView, Chart },
    setTimeout: (done, ms) => setTimeout(done, ms < 5000 ? 1 : ms).unref(), // it polls for good
  });
  return { chart: charts[0], figures, polls };
}

const until = async (condition) => {
  for (let look = 0; look < 1000 && !condition(); look += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.ok(condition());
};

test("a figure is asked for the pixels of the screen", async () => {
  const { figures } = opened({ status: "completed", version: 1, progress: {} });
  await until(() => figures.length === 1);
  assert.match(figures[0].path, /width=\d+&ratio=2&height=/);
});

test("a zoom that overtakes the figure of a running job does not end the following of it", async () => {
  const job = { status: "running", version: 1, progress: { fraction: 0.5, tiles_done: 1, station: "a", month: "2013-01" } };
  const { chart, figures, polls } = opened(job);
  await until(() => figures.length === 1);
  figures[0].answer();
  await until(() => chart.meta);
  job.version = 2; // a figure is asked for …
  await until(() => figures.length === 2);
  chart.want({ start: 10 * HOUR, end: 20 * HOUR }, 0); // … and overtaken
  await until(() => figures.length === 3);
  figures[2].answer({ start: 10 * HOUR, end: 20 * HOUR, complete: false });
  const before = polls.length;
  await until(() => polls.length > before);
  Object.assign(job, { status: "completed", version: 3 });
  await until(() => figures.length === 4);
  assert.match(figures[3].path, /from=36000000&to=72000000/);
  figures[3].answer({ start: 10 * HOUR, end: 20 * HOUR });
});
