// What people decided about the readings of the window that is shown: asked for, kept and listed
// here, made and taken back. A decision counts when its job has made flags anew; until then the page
// says so. It comes with the tab Quality, with a window about which anything was decided, and with
// the first press of Decide (chart.js, cursors.js).
(function () {
  "use strict";

  const POLL_MS = 700;
  const LAST_POLL_MS = 15000; // of a job that waits: there may be no worker for long
  const LONG_MS = 2000; // between two questions; from then on the page says that it waits
  const DAY_MS = 86400000;
  const { documentElement: root } = document;
  const byId = (id) => document.getElementById(id);
  const words = JSON.parse(byId("review").dataset.words);
  const months = JSON.parse(byId("readout").dataset.months);
  const state = { list: [], last: 0, known: false, of: "", asking: null, mine: [] };
  const jobs = new Set(); // that apply decisions of this page
  let parts = null; // of the list beneath the chart

  function make(tag, css, ...children) {
    const made = document.createElement(tag);
    made.className = css;
    made.append(...children);
    return made;
  }

  function button(css, text, pressed, title = "") {
    const made = make("button", css, text);
    Object.assign(made, { type: "button", title });
    made.addEventListener("click", pressed);
    return made;
  }

  const told = () => window.riwayatChart.review || {};
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  const keyOf = ({ station, sensor }) => `${station}.${sensor}`;
  const seriesOf = (one) => (told().series || []).find((each) => keyOf(each) === keyOf(one));
  const changed = () => window.dispatchEvent(new Event("riwayat:decisions"));

  // ---- times ------------------------------------------------------------------------------------

  // Of ms UTC the clock in the zone of what is shown, as fields of a form have it.
  const wall = (time) => new Date(time).toLocaleString("sv-SE", { timeZone: told().zone }).replace(" ", "T");

  // The way back; NaN where it means nothing.
  function time(text) {
    const clock = Date.parse(`${text}Z`);
    const behind = (at) => Date.parse(`${wall(at)}Z`) - Math.floor(at / 1000) * 1000;
    if (Number.isNaN(clock)) return NaN;
    return clock - behind(clock - behind(clock));
  }

  function clock(at) {
    const [date, hours] = wall(at).split("T");
    const [year, month, day] = date.split("-").map(Number);
    return `${day} ${months[month - 1]} ${year} ${hours.replace(/:00$/, "")}`;
  }

  // From a stamp to another, with no date twice.
  function span({ from, to }) {
    const [start, end] = [clock(from), clock(to)];
    const day = start.slice(0, start.lastIndexOf(" ") + 1);
    if (from === to) return start;
    return end.startsWith(day) ? `${start}–${end.slice(day.length)}` : `${start} – ${end}`;
  }

  // ---- the API ----------------------------------------------------------------------------------

  async function ask(path, options = {}) {
    const headers = { Accept: "application/json", "Accept-Language": root.lang, "Content-Type": "application/json" };
    try {
      const answer = await fetch(`${root.dataset.prefix}api/${path}`, { cache: "no-store", headers, ...options });
      const body = answer.status === 204 ? {} : await answer.json();
      if (answer.ok) return body;
      return { status: answer.status, newer: (body.newer || []).map(read), ...body.error };
    } catch (trouble) {
      if (trouble.name === "AbortError") throw trouble;
      return { status: 0, message: words.trouble };
    }
  }

  // A decision as the API tells it, with its times as ms.
  function read(one) {
    return { ...one, from: Date.parse(one.from), to: Date.parse(one.to), made: Date.parse(one.made) };
  }

  let loading = Promise.resolve(); // the newest question of what was decided
  const load = () => (loading = listed());

  // What was decided about the series that are shown; those of which something was are told.
  async function listed() {
    const { decided } = told();
    const { start, end } = window.riwayatChart.chart.meta || {};
    if (!decided) return show();
    const query = new URLSearchParams([["from", start], ["to", end], ["undone", "false"]]);
    for (const [at, name] of ["station", "sensor"].entries()) {
      for (const each of new Set(decided.map((pair) => pair[at]))) query.append(name, each);
    }
    const of = `${window.riwayatChart.job} ${start} ${end}`; // with other series the list stays until the answer is there
    if (state.asking) state.asking.abort();
    const mine = (state.asking = new AbortController());
    if (state.of !== of) Object.assign(state, { known: false, list: [], last: 0, of });
    try {
      const found = decided.length ? await ask(`decisions?${query}`, { signal: mine.signal }) : { decisions: [], last: state.last };
      if (mine.signal.aborted) return;
      if (found.decisions) Object.assign(state, { known: true, list: found.decisions.map(read), last: Math.max(found.last || 0, state.last) });
      else say(found.message);
    } catch {
      return; // a newer question
    }
    show();
    changed();
  }

  // ---- words ------------------------------------------------------------------------------------

  const nameOf = (one) => (seriesOf(one) || { name: keyOf(one) }).name;
  const mark = (value) => String(value).replace(".", window.riwayatChart.chart.config.locale === "id" ? "," : ".").replace("-", "\u2212");

  function what(one) {
    const { kind, amount, filled_from: from } = one;
    const unit = (seriesOf(one) || { unit: "" }).unit;
    const values = {
      amount: kind === "offset" ? `${amount > 0 ? "+" : ""}${mark(amount)}\u202f${unit}` : mark(amount),
      minutes: mark(amount / 60000),
      series: from ? nameOf(from) : "",
    };
    return fill(words.kinds[kind] || kind, values);
  }

  const brief = (one) => `${what(one)} · ${one.made_by}`;
  const whole = (one) => [`${what(one)}${one.rule ? ` (${words.rules[one.rule] || one.rule})` : ""}`, span(one), one.made_by, one.reason].filter(Boolean).join(" · ");

  // ---- decisions about an event -----------------------------------------------------------------

  // The series that an event is of: of a whole station all that may be decided about.
  function partsOf(event) {
    if (event.sensor) return [event];
    return (told().series || []).filter(({ station, may }) => may && station === event.station).map(({ sensor }) => ({ ...event, sensor }));
  }

  const covers = (one, event) => keyOf(one) === keyOf(event) && (!one.rule || one.rule === event.rule) && one.from <= event.from && one.to >= event.to;

  const latest = (event) => state.list.filter((one) => covers(one, event)).at(-1);

  // The latest decision that is about all of an event; undefined where there is none.
  function of(event) {
    const found = partsOf(event).map((part) => latest(part));
    return found.every(Boolean) ? found[0] : undefined;
  }

  async function decide(event, kind, seen = state.last) {
    if (!event.may || event.gap) return;
    const { rule, from, to } = event;
    say("");
    for (const { station, sensor } of partsOf(event)) {
      const before = latest({ ...event, sensor });
      if (before && before.kind === kind) continue;
      const answer = await send({ station, sensor, kind, from, to, rule, seen });
      if (answer.number) continue;
      return conflict(answer, () => decide(event, kind, Math.max(seen, ...answer.newer.map(({ number }) => number))));
    }
  }

  // Make a decision; the API's answer, or what is wrong.
  async function send(body) {
    const answer = await ask("decisions", { method: "POST", body: JSON.stringify(body) });
    if (!answer.number) return answer;
    const made = read(answer);
    state.list = [...state.list, made];
    state.mine.push(made.number);
    state.last = Math.max(state.last, made.number);
    applied(answer);
    show();
    changed();
    return answer;
  }

  async function undo(one) {
    const answer = await ask(`decisions/${one.number}/undo`, { method: "POST", body: "{}" });
    if (!answer.number && answer.status !== 409) return say(answer.message);
    state.list = state.list.filter(({ number }) => number !== one.number);
    state.mine = state.mine.filter((number) => number !== one.number);
    applied(answer);
    show();
    changed();
  }

  // Undo what was decided about an event; where nothing was, the last decision of this page.
  async function takeBack(event) {
    for (let asked; !state.known && asked !== loading; ) await (asked = loading); // the list is just asked for
    const about = event ? partsOf(event).map(latest).filter(Boolean) : [];
    const last = state.list.filter(({ number }) => number === state.mine.at(-1));
    for (const one of about.length ? about : last) await undo(one);
  }

  // What may be done about an event; nothing for who may not.
  function buttons(event) {
    if (!event.may) return [];
    const dialog = (kind) => openDialog({ ...event, kind });
    if (event.gap) return event.sensor ? [button("btn btn-sm", words.fill, () => dialog("fill"))] : [];
    const more = button("btn btn-sm", "⋮", () => dialog("suspect"), words.moreActs);
    more.setAttribute("aria-label", words.moreActs);
    return [button("btn btn-sm", words.kinds.wrong, () => decide(event, "wrong")), button("btn btn-sm", words.kinds.right, () => decide(event, "right")), more];
  }

  const openDialog = (about) => window.riwayatWorkbench.script("decide.js").then(() => window.riwayatDecide.open(about));

  // ---- what is said -----------------------------------------------------------------------------

  function build() {
    const says = make("p", "review-says");
    says.setAttribute("role", "status");
    const count = make("small", "");
    const body = make("tbody", "");
    const heads = words.decisionHeads.map((text) => Object.assign(make("th", "text", text), { scope: "col" }));
    const table = make("table", "list-table decisions-table", make("thead", "", make("tr", "", ...heads)), body);
    const measured = button("btn btn-sm", "", () => null);
    Object.assign(measured.dataset, { option: "flags", usual: "hard" }); // workbench.js takes it as a choice
    const details = make("details", "decisions", make("summary", "", words.decisions, count), make("div", "review-scroll", table), measured);
    details.open = true;
    byId("review").append(says, details);
    return { says, count, body, details, measured };
  }

  function show() {
    if (!parts && !state.list.length && !told().events) return;
    parts = parts || build();
    parts.details.hidden = !state.list.length || !told().decided;
    parts.count.textContent = ` ${state.list.length}`;
    const asMeasured = window.riwayatWorkbench.shown.options.flags === "none";
    parts.measured.textContent = asMeasured ? words.counted : words.measured;
    parts.measured.dataset.value = asMeasured ? "hard" : "none";
    parts.body.replaceChildren(...[...state.list].sort((one, other) => other.number - one.number).map(line));
    byId("review").hidden = !told().decided;
  }

  function line(one) {
    const may = (seriesOf(one) || {}).may;
    const around = Math.max((one.to - one.from) / 2, DAY_MS / 2);
    const when = button("door", span(one), () => window.riwayatWorkbench.open(one.from - around, one.to + around));
    const rule = one.rule ? make("span", "review-by", ` · ${words.rules[one.rule] || one.rule}`) : "";
    const by = [one.made_by, make("span", "review-by", ` ${clock(Math.floor(one.made / 60000) * 60000)}`)];
    const cells = [[when], [nameOf(one)], [what(one), rule], [one.reason || ""], by, may ? [button("btn btn-sm", words.undo, () => undo(one))] : []];
    return make("tr", "", ...cells.map((cell) => make("td", "text", ...cell)));
  }

  // One line: that a decision is being applied, or what went wrong, with what can be done.
  function say(text, ...acts) {
    if (!parts && !text) return;
    parts = parts || build();
    byId("review").hidden = false;
    parts.says.replaceChildren(...(text ? [text, ...acts] : []));
  }

  function conflict(answer, anyway) {
    const theirs = (answer.newer || []).map(whole);
    if (answer.status !== 409 || !theirs.length) return say(answer.message);
    const again = () => load().then(() => say(""));
    say(`${words.conflict} ${theirs.join("; ")}. `, button("btn btn-sm", words.anyway, anyway), button("btn btn-sm", words.leave, again));
    parts.says.firstElementChild.focus();
  }

  // ---- until it counts --------------------------------------------------------------------------

  // Where no job could be started, the next load applies it.
  const applied = ({ job, number }) => (job ? follow(job) : number && say(words.unapplied));

  const pause = (ms) => new Promise((resolve) => window.setTimeout(resolve, ms));

  // At once, or when somebody looks at the page again.
  async function looked() {
    if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }

  // Asked only while a decision of this page is being applied; less and less often while that waits
  // or the server does not answer, and never while nobody looks.
  async function follow(job) {
    let [wait, told] = [POLL_MS, ""];
    const tell = (text) => (text === told ? undefined : say((told = text)));
    jobs.add(job);
    tell(words.applying);
    for (;;) {
      await pause(wait);
      await looked();
      const found = await ask(`jobs/${encodeURIComponent(job)}`);
      if (found.status === "running") {
        wait = POLL_MS;
        tell(words.applying);
        continue;
      }
      if (found.status === "queued" || found.status === 0 || found.status >= 429) {
        wait = Math.min(wait * 1.5, LAST_POLL_MS);
        if (found.status === "queued" && wait > LONG_MS) tell(words.waiting);
        continue;
      }
      jobs.delete(job);
      if (jobs.size) return;
      say(found.status === "completed" ? "" : words.unapplied);
      window.riwayatEventPicture && window.riwayatEventPicture.forget();
      window.riwayatChart.chart.want(window.riwayatChart.chart.window, 0);
      return;
    }
  }

  window.addEventListener("riwayat:review", load);
  window.riwayatDecisions = { ask, brief, buttons, clock, conflict, decide, follow, known: () => state.known, last: () => state.last, load, of, open: openDialog, send, span, takeBack, time, wall, whole };
  load();
})();
