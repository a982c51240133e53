// The page around Dash: theme, language, keys, title, notification, and staying attached to
// a running job.
(function () {
  "use strict";

  const root = document.documentElement;
  const prefix = root.dataset.prefix || "/";
  const YEAR_S = 31536000;
  const LONG_LOAD_S = 10; // a load that took longer is worth a notification
  const SILENT_MS = 8000; // no poll for so long although a job is active: follow it again
  const FIRST_RETRY_MS = 1000;
  const LAST_RETRY_MS = 15000;

  const element = (id) => document.getElementById(id);
  const setProps = (id, props) => window.dash_clientside && window.dash_clientside.set_props && window.dash_clientside.set_props(id, props);
  const keep = (name, value) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; path=${prefix}; SameSite=Lax; max-age=${YEAR_S}${secure}`;
  };

  // Another query, and no new entry in the history. dcc.Location must know: with the next query
  // that it is given it would push the address that it knew before.
  function replaceAddress(search) {
    window.history.replaceState(window.history.state, "", search + window.location.hash);
    setProps("url", { href: window.location.href, search });
  }
  window.riwayatReplaceAddress = replaceAddress;

  // -- theme --------------------------------------------------------------------------------------
  const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");
  const CHOICES = ["light", "dark", "auto"];

  function applyTheme(choice) {
    const shade = choice === "auto" ? (darkSystem.matches ? "dark" : "light") : choice;
    const changed = root.getAttribute("data-bs-theme") !== shade;
    root.setAttribute("data-bs-theme", shade);
    root.setAttribute("data-theme-choice", choice);
    keep("riwayat_theme", choice);
    keep("riwayat_shade", shade);
    if (changed) setProps("theme", { data: shade });
  }

  function nextTheme(button) {
    const choice = CHOICES[(CHOICES.indexOf(root.getAttribute("data-theme-choice")) + 1) % CHOICES.length];
    const name = button.dataset.names.split("|")[CHOICES.indexOf(choice)];
    button.dataset.themeChoice = choice;
    button.title = name;
    button.setAttribute("aria-label", name);
    applyTheme(choice);
  }

  darkSystem.addEventListener("change", () => {
    if (root.getAttribute("data-theme-choice") === "auto") applyTheme("auto");
  });

  const ACTIONS = [
    ["[data-theme-choice]:not(html)", nextTheme],
    ["[data-language]", chooseLanguage],
    ["[data-sheet]:not(body)", openSheet],
    ["[data-open-form]", openForm],
    ["[data-reload-page]", () => window.location.reload()],
    ["[data-copy], [data-copy-from]", copyButton],
    ["#notify", askToNotify],
  ];

  function chooseLanguage(button) {
    keep("riwayat_language", button.dataset.language);
    if (window.riwayatKeep) window.riwayatKeep(); // on the history page
    window.location.reload();
  }

  // The script of sheets comes with the first press of a button that opens one.
  function openSheet(button) {
    window.riwayatWorkbench.script("sheets.js").then(() => window.riwayatSheets.press(button));
  }

  function openForm() {
    const button = element("form-toggle");
    if (button.offsetParent) button.click(); // on a small screen
    else element("station").focus();
  }

  // The stations of a first visit: a page that shows a job does not need their scripts.
  function showStations() {
    delete document.documentElement.dataset.linked;
    for (const [id, script] of [["station-list", "start.js"], ["station-map", "map.js"]]) {
      if (element(id)) window.riwayatWorkbench.script(script);
    }
  }

  function copyButton(button) {
    const { copy, copyFrom } = button.dataset;
    const source = copyFrom && document.querySelector(copyFrom);
    if (copyFrom && !source) return; // no statistics yet
    copyText(source ? source.dataset.tsv : copy, button.parentElement);
    const words = button.textContent;
    if (!button.dataset.copied || words === button.dataset.copied) return;
    button.textContent = button.dataset.copied;
    window.setTimeout(() => (button.textContent = words), 1500);
  }

  // ``near``: a dialog lets no element outside of it have the focus.
  async function copyText(text, near) {
    try {
      await navigator.clipboard.writeText(text);
      return;
    } catch {
      // plain HTTP from another machine has no clipboard API, and a browser may forbid it
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed"; // nothing moves
    area.style.opacity = "0";
    near.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  // A menu (one's name, Rows) closes like any other: by a click beside it, by Escape.
  function closeMenu(except) {
    for (const menu of document.querySelectorAll(".menu[open]")) {
      if (!except || !menu.contains(except)) menu.open = false;
    }
  }

  document.addEventListener("click", (event) => {
    closeMenu(event.target);
    for (const [selector, action] of ACTIONS) {
      const found = event.target.closest && event.target.closest(selector);
      if (found) action(found);
    }
  });

  // One press is one load: the second half of a double click is dropped, and what comes before Dash
  // has disabled the button.
  let lastLoad = 0;
  document.addEventListener("click", (event) => {
    if (!event.target.closest || !event.target.closest("#load")) return;
    const now = performance.now();
    if (event.detail > 1 || now - lastLoad < 100) {
      event.stopImmediatePropagation();
      event.preventDefault();
      return;
    }
    lastLoad = now;
  }, true);

  // -- keys ---------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenu();
    if (event.key !== "Enter" || event.isComposing) return;
    const field = event.target.closest && event.target.closest("#form input");
    if (!field || field.closest(".dash-dropdown-content, .dash-dropdown-wrapper")) return;
    event.preventDefault();
    field.blur(); // Dash takes the text over when the field is left
    window.setTimeout(() => { element("load").click(); field.focus(); }, 0);
  });

  // A range that somebody types is no preset any more.
  document.addEventListener("input", (event) => {
    if (event.isTrusted && (event.target.id === "range-start" || event.target.id === "range-end")) {
      setProps("range-preset", { value: null });
    }
  });

  // -- state of the job: marks for the style sheet, the tab's title, the notification -------------
  let wasActive = null; // id of the job that this page saw running
  let jobId = null; // what job-id holds
  let lastPoll = 0;

  function askToNotify() {
    if ("Notification" in window) Notification.requestPermission().then(showBell, showBell);
  }

  function showBell() {
    const bell = element("notify");
    if (bell) bell.hidden = !("Notification" in window) || Notification.permission !== "default";
  }

  function tellEnd(state) {
    const loud = "Notification" in window && Notification.permission === "granted";
    if (!loud || state.seconds < LONG_LOAD_S || !state.message) return;
    const note = new Notification("Riwayat", { body: state.message, icon: `${prefix}assets/logo.svg`, tag: state.id });
    note.onclick = () => { window.focus(); note.close(); };
  }

  function showState(shown, state, value) {
    const jobId = typeof shown === "string" ? shown : null;
    const current = state && state.id === jobId ? state : null;
    const status = current ? current.status : jobId ? "active" : "";
    for (const id of ["main", "running"]) {
      const part = element(id);
      if (part) part.dataset.status = status;
    }
    const percent = Math.floor(Number(value || 0) * 100);
    const name = current && current.title ? `${current.title} · Riwayat` : "Riwayat";
    document.title = status === "active" ? `${percent} % · Riwayat` : name;
    showBell();
    if (status === "active") {
      wasActive = jobId;
      lastPoll = Date.now();
    } else {
      if (current && wasActive === jobId) tellEnd(current);
      wasActive = null;
    }
  }

  // Whether the notice over the chart says already what the form says of a load.
  function repeats(words, notice) {
    const parts = notice && notice.props && notice.props.children;
    const sentence = Array.isArray(parts) && parts[0] && parts[0].props && parts[0].props.children;
    return Boolean(sentence && words) && words.toLowerCase().includes(sentence.replace(/\.$/, "").toLowerCase());
  }

  const PAUSE_MS = 300; // in typing a formula, after which it is checked
  let typing = 0;

  // Of what a poll saw the version and the note beside the bar, where they are new.
  let note = "null";
  function newBeat(beat, version) {
    const unchanged = window.dash_clientside.no_update;
    const before = note;
    note = JSON.stringify(beat.note);
    return [beat.version === version ? unchanged : beat.version, note === before ? unchanged : beat.note];
  }

  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    page: {
      state: function (jobId, state, value) {
        showState(jobId, state, value);
      },
      repeats,
      typed: function (...words) {
        const turn = (typing += 1);
        const told = () => (turn === typing ? words : window.dash_clientside.no_update);
        return new Promise((done) => window.setTimeout(() => done(told()), PAUSE_MS));
      },
      attach: function (id) {
        jobId = id || null;
        if (!id) showStations();
      },
      newBeat,
      // Only a page that may go on by itself needs the script.
      followed: (followed, rolling) =>
        void ((followed || window.riwayatFollow) && window.riwayatWorkbench.script("follow.js").then(() => window.riwayatFollow.told(followed, rolling))),
      wentOn: (next) => void (next && window.riwayatFollow.next(next)),
      cannotReload: (state) => !(state && state.status), // nothing is shown that could be read again
      address: (query) => void (query && replaceAddress(`?${query}`)),
      ended: function (state) {
        const active = !state || !state.status || state.status === "active";
        return active ? window.dash_clientside.no_update : state.id;
      },
      link: function (search, id) {
        const query = new URLSearchParams(search || "");
        const linked = query.get("job");
        const saved = query.has("saved");
        if (!linked && !saved) showStations();
        return [linked && linked === id ? window.dash_clientside.no_update : search, saved ? "★" : "☆"];
      },
    },
  });

  // -- staying attached ---------------------------------------------------------------------------
  // Dash gives up a background callback whose poll failed, and leaves `running` as it was. So watch
  // the requests, and when the server is back set job-id again: that attaches to the job anew and
  // draws what was missed.
  let waitMs = 0;
  let timer = null;
  let undone = false; // the last press of a button had no good answer

  const isUpdate = (url) => String(url).includes("_dash-update-component");

  // Dash's own hooks do not carry this (4.4): request_pre cannot hold a request back or end it, and
  // request_post hears of answers 200 alone, of no refusal, no proxy's answer and no broken line.
  // assets/questions.js, which asks again, is in the same case.
  const GATEWAY_TROUBLE = [502, 503, 504]; // a proxy answers for a server that is not there
  const plainFetch = window.fetch;
  window.fetch = function (resource, options) {
    const url = resource && resource.url ? resource.url : resource;
    if (isBeginning(url)) return begin(resource, options, FIRST_RETRY_MS);
    const answer = plainFetch.apply(this, arguments);
    if (!isUpdate(url)) return answer;
    const { asksAgain, signal } = options || {}; // assets/questions.js asks again itself, and says so over the chart
    const press = isPress(options);
    return answer.then(
      (response) => {
        if (press) undone = response.status >= 400;
        if (GATEWAY_TROUBLE.includes(response.status)) asksAgain || lost();
        else if (response.status === 401) signedOut();
        else if (response.status === 403) refused();
        else arrived(String(url));
        return response;
      },
      (error) => {
        if (press) undone = true;
        if (!asksAgain && !(signal && signal.aborted)) lost();
        throw error;
      }
    );
  };

  // A button was pressed. That is not sent again by itself: it may have been done although no
  // answer came.
  function isPress(options) {
    if (!options || typeof options.body !== "string") return false;
    const { changedPropIds } = JSON.parse(options.body);
    return Boolean(changedPropIds && changedPropIds.length) && changedPropIds.every((id) => id.endsWith(".n_clicks"));
  }

  function lost() {
    if (timer !== null) return;
    waitMs = waitMs ? Math.min(waitMs * 2, LAST_RETRY_MS) : FIRST_RETRY_MS;
    timer = window.setTimeout(tryAgain, waitMs);
    if (waitMs > FIRST_RETRY_MS) showOffline(true);
    setProps("load", { disabled: false });
  }

  function arrived(url) {
    waitMs = 0;
    showOffline(false);
    if (url.includes("cacheKey=")) lastPoll = Date.now();
  }

  // -- a page that cannot begin -------------------------------------------------------------------
  // Dash asks once for its layout and its callbacks, and stands still where nobody answers.
  const isBeginning = (url) => /_dash-(layout|dependencies)$/.test(String(url));
  const PASSES = [408, 425, 429, 500, 502, 503, 504];

  async function begin(resource, options, pauseMs) {
    const answer = await plainFetch(resource, options).catch(() => null);
    if (answer && !PASSES.includes(answer.status)) return answer;
    const line = document.querySelector("._dash-loading");
    if (line) line.textContent = root.dataset.unanswered;
    await new Promise((done) => window.setTimeout(done, pauseMs));
    return begin(resource, options, Math.min(pauseMs * 2, LAST_RETRY_MS));
  }

  function refused() {
    say("refused", false);
    wasActive = null; // asking again would be refused again
  }

  // The session has ended. What is drawn stays; the way back leads to the same job.
  function signedOut() {
    say("signedOut", true);
    wasActive = null;
    const run = element("running");
    if (run && run.dataset.status === "active") run.dataset.status = "";
  }

  function say(what, withLink) {
    const line = element("offline");
    const link = element("sign-in-again");
    if (!line || !link) return;
    line.firstElementChild.textContent = line.dataset[what];
    link.hidden = !withLink;
    const here = window.location.pathname + window.location.search;
    link.href = line.dataset.signIn ? `${line.dataset.signIn}?next=${encodeURIComponent(here)}` : here;
    line.hidden = false;
  }

  function tryAgain() {
    timer = null;
    plainFetch(`${prefix}healthz`, { cache: "no-store" }).then(
      (response) => {
        if (!response.ok) return lost();
        if (jobId) return follow(); // its answer takes the line away
        return showOffline(false);
      },
      lost
    );
  }

  function showOffline(shown) {
    const line = element("offline");
    if (!line) return;
    if (shown) say("offline", false);
    else if (undone) say("undone", false);
    else line.hidden = true;
  }

  function follow() {
    lastPoll = Date.now();
    if (jobId) setProps("job-id", { data: jobId });
  }

  window.setInterval(() => {
    const silent = wasActive && timer === null && Date.now() - lastPoll > SILENT_MS;
    if (silent && document.visibilityState === "visible") follow();
  }, 2000);
})();
