// A chart in the frame of another page. It knows a token (the fragment of its address) and a public
// id; no cookie, no Dash.
//
// Ask what is shown, start its job, look at the job until it has ended and draw what is there
// meanwhile. Zooming asks for the figure of the window. Whatever goes wrong is said in words, and
// what may pass is tried again by itself.
(function () {
  "use strict";

  const SOON_MS = 250;
  const FIRST_POLL_MS = 500;
  const LAST_POLL_MS = 3000;
  const FIRST_RETRY_MS = 2000;
  const LAST_RETRY_MS = 60000;
  const PATIENCE_MS = 20000; // for an answer to begin
  const RESIZE_MS = 150;
  const ANSWER_MS = 1500; // until a job that answers is asked again
  const LEAST_HEIGHT_PX = 150; // of a figure
  const FINAL = new Set(["completed", "failed", "cancelled"]);
  const PASSES = new Set([429, 500, 502, 503, 504]); // worth another try

  const data = document.body.dataset;
  const words = JSON.parse(data.words);
  // In the dialog that makes the link: what is shown, for whoever is signed in; no token. A fixed
  // range is a span of their job.
  const preview = data.preview ? JSON.parse(data.preview) : null;
  const root = document.documentElement;
  const language = root.lang;
  const byId = (id) => document.getElementById(id);
  const frame = document.querySelector(".frame");
  const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

  const state = {
    token: new URLSearchParams(window.location.hash.slice(1)).get("token") || "",
    shown: null, // answer of GET api/embed
    job: null, // id of the job that is drawn
    run: 0, // grows with each start; an older one's answers are dropped
    again: false, // whether it is being loaded again because part of it has left the disk
    partial: false, // whether what is drawn lacks what is still to be loaded
    sequence: 0,
    retryMs: FIRST_RETRY_MS,
    timers: {},
    asking: null, // AbortController of the figure in hand
  };
  const chart = new window.riwayatView.Chart(byId("chart"), {
    plotly: data.plotly,
    config: { locale: language, displaylogo: false, displayModeBar: false, doubleClick: "autosize", showTips: false, responsive: false },
    changed: () => null,
    ask: () => redraw(),
  });

  // ---- asking -----------------------------------------------------------------------------------

  class Refused extends Error {
    constructor(status, code, message) {
      super(message);
      Object.assign(this, { status, code });
    }

    get passes() {
      return this.status === 0 || PASSES.has(this.status);
    }
  }

  async function ask(path, options = {}) {
    const headers = { "Accept-Language": language, ...options.headers };
    if (!preview) headers.Authorization = `Bearer ${state.token}`;
    const credentials = preview ? "same-origin" : "omit";
    const patience = new AbortController();
    const timer = window.setTimeout(() => patience.abort(), PATIENCE_MS);
    const { signal: unwanted } = options;
    if (unwanted) unwanted.addEventListener("abort", () => patience.abort());
    const how = { ...options, headers, credentials, cache: "no-store", redirect: "error", signal: patience.signal };
    let answer;
    try {
      answer = await fetch(data.api + path, how);
    } catch (error) {
      if (unwanted && unwanted.aborted) throw error;
      throw new Refused(0, "unreachable", words.unreachable);
    } finally {
      window.clearTimeout(timer);
    }
    if (answer.ok) return answer;
    const found = await answer.json().catch(() => ({}));
    const { code = "", message = answer.statusText } = found.error || {};
    throw new Refused(answer.status, code, message);
  }

  const json = (path, options) => ask(path, options).then((answer) => answer.json());

  function later(name, what, ms) {
    window.clearTimeout(state.timers[name]);
    state.timers[name] = window.setTimeout(what, ms);
  }

  function forget(...names) {
    for (const name of names) window.clearTimeout(state.timers[name]);
  }

  // What is to happen when the page is looked at again; nothing is asked while nobody looks.
  let onSight = null;
  function whenSeen(what) {
    if (document.hidden) onSight = what;
    else what();
  }
  document.addEventListener("visibilitychange", function () {
    if (document.hidden || !onSight) return;
    const what = onSight;
    onSight = null;
    what();
  });

  const fill = (text, fields) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in fields ? fields[name] : whole));

  // ---- words ------------------------------------------------------------------------------------

  function say(kind, text, action) {
    frame.dataset.state = kind;
    const message = byId("message");
    message.replaceChildren();
    message.hidden = false;
    const line = document.createElement("p");
    line.textContent = text;
    message.append(line);
    message.setAttribute("role", kind === "loading" ? "status" : "alert");
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = words.again;
      button.addEventListener("click", action);
      message.append(button);
    }
    byId("chart").hidden = true;
    byId("tools").hidden = true;
    byId("progress").hidden = true;
    note("");
    if (kind !== "loading" && kind !== "trouble") tellSize();
  }

  function note(text) {
    byId("note").textContent = text;
  }

  const clock = (ms) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(ms);

  // Trouble: over a chart that is drawn it is a quiet line, without one it fills the frame. What
  // may pass is tried again.
  function trouble(error, again) {
    const refused = error instanceof Refused ? error : new Refused(0, "unreachable", words.unreachable);
    const said = refused.status === 0 ? words.unreachable : refused.passes ? words.busy : explained(refused);
    if (refused.passes) {
      if (chart.meta) note(`${said} ${fill(words.stale, { time: clock(state.drawn) })}`);
      else say("trouble", said);
      later("retry", () => whenSeen(again), state.retryMs);
      state.retryMs = Math.min(state.retryMs * 2, LAST_RETRY_MS);
      return;
    }
    stop();
    const closed = refused.status === 401 || refused.status === 403;
    say(closed ? "closed" : refused.code === "no_data" ? "nothing" : "failed", said, closed ? null : start);
    if (refused.code === "no_data" && state.shown && state.shown.rolling) planRefresh();
  }

  function explained(refused) {
    if (refused.status === 401 || refused.status === 403) return refused.message || words.invalid;
    if (refused.code === "no_data") return words.nothing;
    return fill(words.failed, { cause: refused.message });
  }

  function stop() {
    state.run += 1;
    chart.forget();
    state.job = null;
    forget("poll", "retry", "reload", "refresh", "answer");
  }

  // ---- what is shown, and its job ---------------------------------------------------------------

  async function start() {
    const run = (state.run += 1);
    forget("poll", "retry", "reload", "refresh", "answer");
    if (!chart.meta) say("loading", words.loading);
    try {
      const opens = preview ? window.parent !== window : state.token; // a link to the preview starts no load
      if (!opens) throw new Refused(401, "embed_invalid", words.invalid);
      const [shown] = await Promise.all([preview || json("embed"), window.Plotly || window.riwayatView.load(data.plotly)]);
      if (run !== state.run) return;
      introduce(shown);
      if (shown.job) return await follow(run, shown.job, -1, FIRST_POLL_MS);
      const { stations, sensors, start: from, end, resolution, timezone } = shown.request;
      const body = JSON.stringify({ stations, sensors, start: from, end, resolution, timezone });
      const receipt = await json("jobs", { method: "POST", body, headers: { "Content-Type": "application/json" } });
      if (run !== state.run) return;
      state.retryMs = FIRST_RETRY_MS;
      if (receipt.status !== "completed") return later("poll", () => follow(run, receipt.id, -1, FIRST_POLL_MS), SOON_MS);
      state.partial = false;
      await draw(run, receipt.id);
      if (run === state.run) planRefresh();
    } catch (error) {
      if (run === state.run) trouble(error, start);
    }
  }

  function introduce(shown) {
    state.shown = shown;
    byId("title").textContent = shown.title;
    document.title = shown.title;
    byId("rows").hidden = !shown.may_export;
    const [first, last] = [Date.parse(shown.request.start), Date.parse(shown.request.end)];
    if (chart.window && (chart.window.end <= first || chart.window.start >= last)) chart.window = null; // the range has moved on
  }

  // Look at the job until it has ended; draw whenever there is more of it.
  async function follow(run, id, version, waitMs) {
    try {
      const job = await json(`jobs/${encodeURIComponent(id)}`);
      if (run !== state.run) return;
      state.retryMs = FIRST_RETRY_MS;
      const news = job.version !== version;
      const ended = FINAL.has(job.status);
      progress(job, ended);
      if (ended && job.status !== "completed") {
        throw new Refused(400, "failed", job.error ? job.error.message : words.stopped);
      }
      // A chart that is complete is not replaced by a part of its successor.
      // An analysis is made of all of it.
      const drawable = state.shown.view === "trend" && (!chart.meta || state.partial);
      const some = news && job.progress && job.progress.tiles_done > 0 && drawable;
      if (ended || some) {
        state.partial = !ended;
        await draw(run, id);
      }
      if (run !== state.run) return;
      if (ended) return planRefresh();
      const next = news ? FIRST_POLL_MS : Math.min(waitMs * 1.5, LAST_POLL_MS);
      later("poll", () => whenSeen(() => follow(run, id, job.version, next)), next);
    } catch (error) {
      if (run !== state.run) return;
      // A job that is not there any more is started anew: the range has moved on, or it was pruned.
      if (error instanceof Refused && error.status === 404) later("retry", () => whenSeen(start), state.retryMs);
      else trouble(error, () => follow(run, id, version, waitMs));
    }
  }

  function progress(job, ended) {
    const bar = byId("progress");
    bar.hidden = ended;
    if (ended) return;
    const done = job.progress;
    if (done) bar.value = done.fraction;
    else bar.removeAttribute("value");
    const parts = [];
    if (job.status === "queued" && job.position) parts.push(fill(words.queued, { position: job.position }));
    if (done && done.station && done.month) parts.push(fill(words.reading, { station: done.station, month: monthName(done.month) }));
    if (done) parts.push(fill(words.percent, { percent: Math.floor(done.fraction * 100) }));
    const text = parts.join(" · ") || words.loading;
    if (chart.meta) note(text);
    else byId("message").firstChild.textContent = text;
  }

  function monthName(month) {
    const [year, number] = month.split("-").map(Number);
    const format = new Intl.DateTimeFormat(language, { month: "long", year: "numeric", timeZone: "UTC" });
    return format.format(Date.UTC(year, number - 1, 1));
  }

  function planRefresh() {
    if (!state.shown || !state.shown.rolling) return;
    later("refresh", () => whenSeen(start), state.shown.refresh * 1000);
  }

  // ---- drawing ----------------------------------------------------------------------------------

  function shade() {
    const choice = root.dataset.theme;
    return choice === "auto" ? (darkSystem.matches ? "dark" : "light") : choice;
  }

  // Room for a figure: what the frame has, but not less than can be read.
  function room() {
    const { place } = chart;
    const { hidden } = place;
    place.hidden = false; // for as long as it is measured
    const width = Math.max(50, place.clientWidth - window.riwayatView.MARGINS_PX);
    const height = Math.max(LEAST_HEIGHT_PX, window.innerHeight - above());
    place.hidden = hidden;
    return { width, height };
  }

  const above = () => document.querySelector(".head").offsetHeight;

  // Draw the wanted window of a job. Returns at once when a newer wish has taken its place: that
  // one draws.
  async function draw(run, id) {
    const sequence = (state.sequence += 1);
    if (state.asking) state.asking.abort();
    state.asking = new AbortController();
    const { width, height } = room();
    const { notes, view, options, span } = state.shown;
    const ratio = window.devicePixelRatio || 1;
    const query = new URLSearchParams({ ...options, view, notes: notes ? "shared" : "none", width, ratio, height, theme: shade(), language });
    const wanted = chart.window || span;
    if (wanted) {
      query.set("from", wanted.start);
      query.set("to", wanted.end);
    }
    const { signal } = state.asking;
    const answer = await ask(`jobs/${encodeURIComponent(id)}/figure?${query}`, { signal }).catch((error) => {
      if (!signal.aborted) throw error;
    });
    const figure = answer && (await answer.json());
    await chart.rest();
    if (run !== state.run || sequence !== state.sequence) return;
    state.job = id;
    if (answer.status === 202) {
      later("answer", () => whenSeen(redraw), ANSWER_MS);
      return;
    }
    if (span) figure.layout.meta.whole = [span.start, span.end];
    // A completed job may have lost tiles since: load it again, once.
    const lost = !state.partial && figure.layout.meta.complete === false;
    if (lost && !state.again) later("reload", start, SOON_MS); // whatever is zoomed meanwhile
    state.again = lost;
    show(figure);
  }

  function show(figure) {
    state.drawn = Date.now();
    frame.dataset.state = "drawn";
    byId("message").hidden = true;
    chart.place.hidden = false;
    const { still } = figure.layout.meta; // of an analysis, which says itself what there is not
    const empty = !still && !figure.data.some((trace) => trace.x && length(trace.x));
    if (!state.partial) note(empty ? words.nothing : "");
    byId("tools").hidden = !state.shown.controls;
    byId("whole").hidden = !chart.window;
    byId("wider").hidden = byId("closer").hidden = Boolean(still);
    byId("open").href = pageAddress(figure.layout.meta);
    chart.show(figure);
    tellSize();
  }

  // Where the whole page shows the same, to who may see it there.
  function pageAddress({ start, end }) {
    const { view, options } = state.shown;
    const [from, to] = [start, end].map((time) => new Date(time).toISOString());
    const query = new URLSearchParams({ job: state.job, from, to, ...(view === "trend" ? {} : { view }), ...options });
    return `${data.api.slice(0, -"api/".length)}?${query}`;
  }

  const length = (values) => (values.bdata !== undefined ? values.bdata.length : values.length);

  // ---- zooming ----------------------------------------------------------------------------------

  async function redraw() {
    const run = state.run;
    if (!state.job) return;
    forget("retry"); // it would ask for what this asks for
    try {
      await draw(run, state.job);
      state.retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (run !== state.run) return;
      if (error instanceof Refused && error.status === 404) start(); // its range has moved on
      else trouble(error, redraw);
    }
  }

  chart.place.addEventListener("keydown", (event) => chart.key(event));

  // ---- taking it away ---------------------------------------------------------------------------

  byId("whole").addEventListener("click", () => chart.want(null));
  byId("closer").addEventListener("click", () => chart.meta && chart.zoom(0.5));
  byId("wider").addEventListener("click", () => chart.meta && chart.zoom(2));
  byId("picture").addEventListener("click", async function () {
    await window.riwayatView.scriptReady(data.picture);
    window.riwayatPicture.download(chart);
  });

  // The token is a header, so that the file is fetched and then saved.
  byId("rows").addEventListener("click", async function () {
    if (!chart.meta || !state.job) return;
    const button = byId("rows");
    button.disabled = true;
    note(words.saving);
    try {
      const { start, end } = chart.meta; // what is drawn
      const query = new URLSearchParams({ format: "csv", from: start, to: end });
      const answer = await ask(`jobs/${encodeURIComponent(state.job)}/data?${query}`);
      const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
      save(await answer.blob(), named ? named[1] : "riwayat.csv");
      note("");
    } catch (error) {
      note(fill(words.notSaved, { cause: error instanceof Refused ? error.message : words.unreachable }));
    }
    button.disabled = false;
  });

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  // ---- the page around it -----------------------------------------------------------------------

  // The height that suits what is shown, whatever the frame's is; told to the one origin that may
  // frame it.
  let told = 0;
  function tellSize() {
    if (window.parent === window) return;
    const height = Math.ceil(wantedHeight());
    if (height === told) return;
    told = height;
    window.parent.postMessage({ type: "riwayat:size", id: data.embed, height }, data.origin);
  }

  function wantedHeight() {
    if (chart.meta) return above() + chart.meta.height;
    const lines = [...byId("message").children].reduce((sum, line) => sum + line.offsetHeight + 12, 0);
    return above() + lines + 40;
  }

  let size = `${window.innerWidth}x${window.innerHeight}`;
  window.addEventListener("resize", function () {
    const now = `${window.innerWidth}x${window.innerHeight}`;
    if (now === size) return;
    size = now;
    later("resize", () => (state.job ? redraw() : tellSize()), RESIZE_MS);
  });

  darkSystem.addEventListener("change", function () {
    if (root.dataset.theme === "auto" && state.job) redraw();
  });

  window.addEventListener("hashchange", function () {
    state.token = new URLSearchParams(window.location.hash.slice(1)).get("token") || "";
    stop();
    start();
  });

  whenSeen(start);
})();
