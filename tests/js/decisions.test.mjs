// What was decided about readings (assets/decisions.js): which decision an event has, what is asked
// of the server, and the clock of a zone and back.
import assert from "node:assert/strict";
import test from "node:test";

import { Element, page } from "./page.mjs";

const HOUR = 3600000;
const NOON = Date.UTC(2024, 2, 9, 17); // in New York, a day before its clocks change
const EVENT = { station: "JFK", sensor: "temperature", rule: "stuck", from: NOON, to: NOON + 9 * HOUR, may: true };
const MADE = { number: 1, station: "JFK", sensor: "temperature", kind: "wrong", rule: "stuck", amount: null, filled_from: null, reason: "", made_by: "budi", made: "2024-04-01T00:00:00Z" };
const time = (ms) => new Date(ms).toISOString();

// A page on which these decisions are known; `asked` are questions to the server.
function open(list = [], answers = {}, may = true, more = {}) {
  const places = { review: new Element("section"), readout: new Element("div") };
  const words = { kinds: { wrong: "Wrong", right: "Right" }, rules: {}, decisionHeads: [], conflict: "Meanwhile:", anyway: "Anyway", leave: "Leave", applying: "Applying", waiting: "Waiting", decisions: "Decisions", undo: "Undo", fill: "Fill", measured: "Measured" };
  places.review.dataset.words = JSON.stringify(words);
  places.readout.dataset.months = JSON.stringify(["Jan", "Feb", "Mar"]);
  const series = ["temperature", "humidity"].map((sensor) => ({ station: "JFK", sensor, name: sensor, unit: "", may }));
  const review = { zone: "America/New_York", series, decided: [["JFK", "temperature"]], events: [] };
  const asked = [];
  async function fetch(path, { method = "GET", body } = {}) {
    const [says] = places.review.all("review-says");
    asked.push({ path, method, body: body && JSON.parse(body), said: says && says.textContent });
    const found = path.includes("/jobs/") ? answers.jobs.shift() : answers[method] || { decisions: list, last: 7 };
    return { ok: !found.error, status: found.error ? 409 : 200, json: async () => found };
  }
  const window = page(["decisions.js"], {
    fetch,
    document: {
      createElement: (tag) => Object.assign(new Element(tag), { focus() {} }),
      documentElement: { dataset: { prefix: "/" }, lang: "en" },
      getElementById: (id) => places[id],
      ...more.document,
    },
    ...more.window,
    riwayatChart: { review, job: "j1", chart: { want() {}, meta: { start: 0, end: 10 }, config: { locale: "en" } } },
    riwayatWorkbench: { shown: { options: {} } },
  });
  return { asked, decisions: window.riwayatDecisions, places };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const about = (more) => ({ ...MADE, from: time(EVENT.from), to: time(EVENT.to), ...more });

test("the latest decision in force about all of an event, of its rule or of all, is the event's", async () => {
  const { decisions, asked } = open([about(), about({ number: 2, kind: "right", rule: null }), about({ number: 3, rule: "step" })]);
  await settled();
  assert.equal(decisions.of(EVENT).number, 2);
  assert.equal(decisions.of({ ...EVENT, to: EVENT.to + 1 }), undefined);
  assert.equal(decisions.of({ ...EVENT, station: "EWR" }), undefined);
  assert.match(asked[0].path, /undone=false&station=JFK&sensor=temperature$/);
});

test("an event of a whole station is decided when each of its sensors is", async () => {
  const one = about({ rule: "frozen" });
  const frozen = { ...EVENT, sensor: "", rule: "frozen" };
  const half = open([one]);
  const whole = open([one, { ...one, number: 2, sensor: "humidity" }]);
  await settled();
  assert.equal(half.decisions.of(frozen), undefined);
  assert.equal(whole.decisions.of(frozen).number, 1);
});

test("a decision about an event says what was seen, and none is sent for who may not review, or of a gap", async () => {
  const { asked, decisions } = open([], { POST: about({ number: 8 }) });
  await settled();
  await decisions.decide({ ...EVENT, may: false }, "wrong");
  await decisions.decide({ ...EVENT, gap: true }, "wrong");
  await decisions.decide(EVENT, "wrong");
  const posts = asked.filter(({ method }) => method === "POST");
  assert.deepEqual(posts.map(({ body }) => body), [{ station: "JFK", sensor: "temperature", kind: "wrong", from: EVENT.from, to: EVENT.to, rule: "stuck", seen: 7 }]);
  assert.equal(decisions.of(EVENT).number, 8);
});

test("who may not review has no buttons, a gap can be filled, and all else is wrong, right or for the dialog", () => {
  const { decisions } = open();
  const words = (event) => Array.from(decisions.buttons({ ...EVENT, ...event }), ({ textContent }) => textContent);
  assert.deepEqual(words({ may: false }), []);
  assert.deepEqual(words({ gap: true }), ["Fill"]);
  assert.deepEqual(words({ gap: true, sensor: "" }), []); // of which sensor?
  assert.deepEqual(words({}), ["Wrong", "Right", "⋮"]);
});

test("what is undone is no longer the event's, and of an event without a decision the last of the page is", async () => {
  const { asked, decisions } = open([about()], { POST: about({ number: 8, from: time(NOON - HOUR), to: time(NOON - HOUR) }) });
  await settled();
  await decisions.takeBack(EVENT);
  assert.equal(asked.at(-1).path, "/api/decisions/1/undo");
  assert.equal(decisions.of(EVENT), undefined);
  const other = { ...EVENT, from: NOON - HOUR, to: NOON - HOUR };
  await decisions.decide(other, "wrong");
  await decisions.takeBack(EVENT);
  assert.equal(asked.at(-1).path, "/api/decisions/8/undo");
  assert.equal(decisions.of(other), undefined);
});

test("a decision that is undone while the list is just asked for is undone when the list is there", async () => {
  const { asked, decisions } = open([about()]);
  await decisions.takeBack(EVENT);
  assert.equal(asked.at(-1).path, "/api/decisions/1/undo");
});

test("what somebody else decided is shown, and to decide anyway says that it was seen", async () => {
  const newer = [about({ number: 9, reason: "ice" })];
  const { asked, decisions, places } = open([], { POST: { error: { message: "no" }, newer } });
  await settled();
  await decisions.decide(EVENT, "right");
  const [says] = places.review.all("review-says");
  assert.match(says.textContent, /Meanwhile:.*budi.*ice/);
  says.children.find(({ tag }) => tag === "button").click();
  await settled();
  assert.equal(asked.at(-1).body.seen, 9);
});

test("clocks of a zone lead back to their times, also where they change", () => {
  const { decisions } = open();
  assert.equal(decisions.wall(NOON), "2024-03-09T12:00:00");
  for (let at = NOON; at < NOON + 48 * HOUR; at += HOUR / 2) assert.equal(decisions.time(decisions.wall(at)), at);
  assert.ok(Number.isNaN(decisions.time("")));
  assert.equal(decisions.span({ from: NOON, to: NOON + HOUR }), "9 Mar 2024 12:00–13:00");
});

// How the jobs of a followed decision were found one after the other; setTimeout waits for nothing.
function follow(statuses, document = {}) {
  const waits = [];
  const setTimeout = (then, ms) => void (waits.push(ms), Promise.resolve().then(then));
  const made = open([], { jobs: statuses.map((status) => ({ status })) }, true, { window: { setTimeout }, document });
  made.decisions.follow("j2");
  return { ...made, waits, questions: () => made.asked.filter(({ path }) => path.includes("/jobs/")) };
}

test("a decision that waits for a worker is asked for less and less often, and the page says that it waits", async () => {
  const { questions, waits } = follow([...Array(20).fill("queued"), "running", "running", "completed"]);
  await settled();
  assert.deepEqual(questions().map(({ said }) => said), [...Array(3).fill("Applying"), ...Array(18).fill("Waiting"), "Applying", "Applying"]);
  const [waiting, running] = [waits.slice(0, 21), waits.slice(21)];
  assert.deepEqual(waiting, [...waiting].sort((one, other) => one - other));
  assert.deepEqual([waiting[0], waiting[20], ...running], [700, 15000, 700, 700]);
});

test("a server that does not answer is asked less and less often, too", async () => {
  const { waits } = follow([...Array(20).fill(503), "completed"]);
  await settled();
  assert.deepEqual([waits.length, waits[0], waits[20]], [21, 700, 15000]);
});

test("of a decision that is being applied nothing is asked while nobody looks", async () => {
  let back = null;
  const { questions } = follow(["completed"], { hidden: true, addEventListener: (_type, then) => (back = then) });
  await settled();
  assert.equal(questions().length, 0);
  back();
  await settled();
  assert.equal(questions().length, 1);
});
