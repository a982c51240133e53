// The picture goes on by itself where its range ends now: the server is asked whether anything of
// its stations is new (a version, no reading), and then for the same load once more. Only when that
// is there the page goes over to it, so nothing is drawn in between. Who has zoomed, looks at
// another view or has a dialog open is left alone: a button says how many readings are new.
(function () {
  "use strict";

  const ROOT = document.documentElement;
  const STEP_MS = 300; // between two looks at a load that is on its way
  const LONGEST_STEP_MS = 30000;
  const [AGAIN_S, LAST_AGAIN_S] = [1, 30]; // after a question without an answer
  const LONGEST_QUERY = 3500; // characters: servers take addresses of 4,000
  const state = { target: null, latest: null, seen: null, tag: null, step: null, number: 0, waitS: AGAIN_S, timer: null };

  const byId = (id) => document.getElementById(id);
  const setProps = (id, data) => window.dash_clientside.set_props(id, { data });

  // ---- what is followed ----

  function told(followed, rolling) {
    if (rolling && rolling.job === ROOT.dataset.followed && followed && followed.job !== rolling.job) return; // on the way
    const rolls = followed && rolling && rolling.job === followed.job;
    const preset = rolls ? rolling.preset : null;
    const query = new URLSearchParams(followed ? followed.stations.map((name) => ["station", name]) : []).toString();
    const follows = followed && (preset || followed.ahead) && query.length <= LONGEST_QUERY;
    const before = state.target;
    state.target = follows ? { job: followed.job, preset, query } : null;
    if (!follows || !before || before.query !== query) Object.assign(state, { latest: null, tag: null });
    if (!follows || !before || (before.job !== followed.job && ROOT.dataset.followed !== followed.job)) {
      Object.assign(state, { seen: null, step: null });
      showNews(false);
    }
    ask();
  }

  // ---- asking ----

  function later(seconds) {
    window.clearTimeout(state.timer);
    state.timer = window.setTimeout(ask, seconds * 1000);
  }

  async function ask() {
    window.clearTimeout(state.timer);
    const { target } = state;
    if (!target || document.hidden) return; // it catches up when it is seen again
    const headers = state.tag ? { "If-None-Match": state.tag } : {};
    const answer = await fetch(`${ROOT.dataset.prefix || "/"}api/version?${target.query}`, { headers, cache: "no-store" }).catch(() => null);
    if (target !== state.target) return;
    if (answer && [401, 403].includes(answer.status)) return; // until something else is loaded
    if (!answer || !(answer.ok || answer.status === 304)) {
      state.waitS = Math.min(2 * state.waitS, LAST_AGAIN_S);
      return void later(state.waitS);
    }
    state.waitS = AGAIN_S;
    if (answer.ok) await heard(answer);
    consider();
    later(AGAIN_S);
  }

  async function heard(answer) {
    const found = await answer.json();
    if (found.version === null) return;
    Object.assign(state, { latest: found, tag: answer.headers.get("ETag") });
  }

  // ---- going on ----

  const chart = () => window.riwayatChart && window.riwayatChart.chart;
  const isDrawn = () => Boolean(chart() && chart().meta && state.target && window.riwayatChart.job === state.target.job);

  // The user is about something that a new picture would take away.
  function isBusy() {
    const view = byId("chart-frame").closest(".chart").dataset.view || "trend";
    return Boolean(chart().window || chart().held || view !== "trend" || document.querySelector(".modal.show, dialog[open]"));
  }

  function consider() {
    const { latest, seen, step } = state;
    if (step && performance.now() - step.begun > LONGEST_STEP_MS) state.step = null;
    if (!latest || !isDrawn() || state.step || (seen && seen.version === latest.version)) return;
    if (!isBusy()) goOn();
    else if (seen) showNews(true);
    else state.seen = latest;
  }

  function goOn(forced = false) {
    const { target, latest } = state;
    state.step = { job: target.job, to: latest, first: !state.seen, begun: performance.now(), forced };
    look();
  }

  // The same question begins the load, and later tells how it stands.
  function look() {
    if (!state.step || !state.target) return;
    state.step.number = state.number += 1;
    setProps("follow-step", { job: state.step.job, preset: state.target.preset, number: state.number });
  }

  function next(answer) {
    const { step, target } = state;
    if (!answer || !step || answer.number !== step.number || !target || target.job !== step.job) return;
    if (["queued", "running"].includes(answer.status)) return void window.setTimeout(look, STEP_MS);
    state.step = null;
    if (answer.status !== "completed") return void (state.seen = step.to); // until the next change
    if (isBusy() && !step.forced) return; // since it began
    state.seen = step.to;
    showNews(false);
    if (answer.job !== step.job) show(answer.job);
    else if (step.forced) chart().want(null, 0);
    else if (!step.first) setProps("job-version", step.number); // the same range, drawn anew
  }

  function show(job) {
    const { preset } = state.target;
    ROOT.dataset.followed = job;
    setProps("rolling", { job, preset });
    setProps("job-id", job);
    const query = new URLSearchParams(window.location.search); // it may name a saved view
    query.set("job", job);
    window.riwayatReplaceAddress(`?${query}`);
  }

  // ---- the button ----

  function showNews(on) {
    const news = byId("follow-news");
    if (!news) return;
    news.hidden = !on;
    if (!on) return;
    const { one, many, changed } = news.dataset;
    const rows = state.latest.rows - state.seen.rows;
    news.textContent = rows === 1 ? one : rows > 1 ? many.replace("{n}", rows.toLocaleString(ROOT.lang)) : changed;
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("#follow-news") && state.latest && isDrawn() && !state.step) goOn(true);
  });
  document.addEventListener("visibilitychange", ask);

  window.riwayatFollow = { told, next };
})();
