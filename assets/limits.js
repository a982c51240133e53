// The dialog in which limits of quality rules are seen and set: of a series, or of its sensor at all
// stations. It comes with the first press of Limits (review.js).
(function () {
  "use strict";

  const words = JSON.parse(document.getElementById("review").dataset.words);
  const decisions = window.riwayatDecisions;
  const keyOf = ({ station, sensor }) => `${station}.${sensor}`;
  const series = () => window.riwayatChart.review.series;
  let shown = null; // what the server said last
  let rows = [];
  let asked = 0;

  function make(tag, css, ...children) {
    const made = document.createElement(tag);
    made.className = css;
    made.append(...children);
    return made;
  }

  function field(name, label, options) {
    const control = make("select", "form-select form-select-sm", ...options.map(([value, text]) => Object.assign(make("option", "", text), { value })));
    control.id = `limits-${name}`;
    const text = make("label", "", label);
    text.htmlFor = control.id;
    return { box: make("div", "field", text, control), control };
  }

  const button = (css, text, type = "button") => Object.assign(make("button", css, text), { type });
  const of = field("series", words.heads[2], []);
  const scope = field("scope", words.limitsFor, [["station", words.limitsStation], ["all", words.limitsAll]]);
  const body = make("tbody", "");
  const table = make("table", "limits-table", body);
  const wrong = make("p", "decide-wrong");
  wrong.setAttribute("role", "alert");
  const apply = button("btn btn-primary", words.limitsApply, "submit");
  const cancel = button("btn btn-sm", words.cancel);
  const close = button("details-close", "×");
  close.setAttribute("aria-label", words.close);
  const title = make("h2", "", words.limitsTitle);
  title.id = "limits-title";
  const hint = make("small", "embed-hint", words.limitsHint);
  const buttons = make("div", "saved-buttons", apply, cancel);
  const form = make("form", "", make("div", "details-head", title, close), of.box, scope.box, hint, make("div", "review-scroll", table), wrong, buttons);
  form.noValidate = true;
  const dialog = make("dialog", "decide limits", form);
  dialog.setAttribute("aria-labelledby", title.id);
  document.body.append(dialog);

  const chosen = () => series().find((each) => keyOf(each) === of.control.value);
  const ofAll = () => scope.control.value === "all";
  const mayChange = () => shown && (ofAll() ? shown.may_set_all : shown.may_set);
  const textOf = (value) => (value === null ? "" : JSON.stringify(value).replaceAll(",", ", "));
  const isSetHere = ({ origin }) => origin === (ofAll() ? "set" : "set_station");

  const input = (more) => Object.assign(make("input", "form-control form-control-sm"), { readOnly: !mayChange(), spellcheck: false, ...more });

  // A number; `read` is its value, null where the rule is off.
  function number(limit) {
    const control = input({ id: `limit-${limit.name}`, value: textOf(limit.value), placeholder: words.limitsOff });
    return { control, box: control, read: () => (control.value.trim() ? JSON.parse(control.value) : null) };
  }

  // Pairs of numbers as a small table: a row for each month or of one's own making, or one alone.
  function pairs(limit, { heads, rows: names, grows }) {
    const lines = make("tbody", "");
    const whole = names.length > 1 || grows;
    const given = whole ? limit.value || [] : [limit.value || []];

    function line(pair, name) {
      const cells = heads.map((head, at) => input({ type: "number", step: "any", value: pair[at] ?? "", ariaLabel: [name, head].filter(Boolean).join(": ") }));
      const drop = button("btn btn-sm", "×");
      drop.setAttribute("aria-label", words.remove);
      drop.addEventListener("click", () => made.remove());
      const made = make("tr", "", ...(name ? [make("th", "", name)] : []), ...cells.map((cell) => make("td", "", cell)));
      if (grows && mayChange()) made.append(make("td", "", drop));
      lines.append(made);
    }

    if (grows) given.forEach((pair) => line(pair, ""));
    else names.forEach((name, at) => line(given[at] || [], name));
    const more = button("btn btn-sm", words.limitsRow);
    more.hidden = !grows || !mayChange();
    more.addEventListener("click", () => line([], ""));
    const head = make("tr", "", ...(whole && !grows ? [make("th", "")] : []), ...heads.map((each) => make("th", "", each)));
    const said = (pair, at) => (grows ? `${pair[0]} min: ${pair[1]}` : `${names[at]} ${pair[0]} … ${pair[1]}`.trim());
    const control = make("summary", "", (limit.value ? given.map(said).join(" · ") : "") || words.limitsOff);
    control.id = `limit-${limit.name}`;

    function read() {
      const filled = [...lines.rows].map((each) => [...each.querySelectorAll("input")]).filter((cells) => grows ? cells.some((cell) => cell.value) : true);
      if (filled.flat().every((cell) => !cell.value && !cell.validity.badInput)) return null;
      if (filled.flat().some((cell) => !cell.value)) throw new Error("half a pair");
      const found = filled.map((cells) => cells.map((cell) => Number(cell.value)));
      return whole ? found : found[0];
    }

    return { control, box: make("details", "limit-pairs", control, make("table", "", make("thead", "", head), lines), more), read };
  }

  const range = [words.limitsLeast, words.limitsGreatest];
  const PAIRS = {
    climate: { heads: range, rows: JSON.parse(document.getElementById("readout").dataset.months) },
    quiet: { heads: range, rows: [""] },
    step: { heads: [words.limitsMinutes, words.limitsChange], rows: [], grows: true },
    spike: { heads: [words.limitsMinutes, words.limitsChange], rows: [], grows: true },
  };

  // A limit with its field, and where it comes from.
  function row(limit) {
    const name = make("label", "", words.limitNames[limit.name] || limit.name);
    const { control, box, read } = PAIRS[limit.name] ? pairs(limit, PAIRS[limit.name]) : number(limit);
    if (box === control) name.htmlFor = control.id;
    const by = limit.made_by ? ` · ${limit.made_by}, ${decisions.clock(Math.floor(Date.parse(limit.made) / 60000) * 60000)}` : "";
    const from = make("td", "text review-by", words.limitOrigins[limit.origin] + by);
    const back = button("btn btn-sm", words.limitsBack);
    back.hidden = !isSetHere(limit) || !mayChange();
    back.addEventListener("click", () => send({ reset: [limit.name] }));
    const line = make("tr", "", make("td", "text", name), make("td", "", box), from, make("td", "", back));
    return { limit, control, line, read };
  }

  function draw(answer) {
    shown = answer;
    scope.box.hidden = !shown.may_set_all;
    rows = shown.limits.map(row);
    body.replaceChildren(...rows.map(({ line }) => line));
    apply.hidden = !mayChange();
  }

  async function load() {
    wrong.textContent = "";
    const mine = (asked += 1);
    const { station, sensor } = chosen();
    const answer = await decisions.ask(`limits?${new URLSearchParams({ sensor, ...(ofAll() ? {} : { station }) })}`);
    if (mine !== asked) return;
    if (answer.limits) draw(answer);
    else wrong.textContent = answer.message;
  }

  // What the fields say that the server did not; a word that is no value is told at its field.
  function changes() {
    const found = {};
    for (const { limit, control, read } of rows) {
      control.removeAttribute("aria-invalid");
      try {
        const value = read();
        if (JSON.stringify(value) !== JSON.stringify(limit.value)) found[limit.name] = value;
      } catch {
        return tell(limit.name, words.limitsNoValue);
      }
    }
    return found;
  }

  function tell(name, text) {
    wrong.textContent = text;
    const one = rows.find(({ limit }) => limit.name === name);
    if (!one) return null;
    one.control.setAttribute("aria-invalid", "true");
    if (one.control.parentElement.matches("details")) one.control.parentElement.open = true;
    one.control.focus();
    return null;
  }

  async function send(change) {
    wrong.textContent = "";
    const { station, sensor } = chosen();
    const stations = ofAll() ? series().filter((each) => each.sensor === sensor).map((each) => each.station) : [station];
    apply.disabled = true;
    const { request } = await decisions.ask(`jobs/${encodeURIComponent(window.riwayatChart.job)}`);
    const range = request && { load: { station: stations, from: request.start, to: request.end } };
    const about = { station: ofAll() ? null : station, sensor, seen: shown.revision, ...range };
    const answer = await decisions.ask("limits", { method: "PATCH", body: JSON.stringify({ ...about, ...change }) });
    apply.disabled = false;
    if (!answer.limits) return void tell((answer.field || "").split(".")[1], answer.message);
    draw(answer);
    decisions.follow(answer.job);
  }

  function open(about) {
    of.control.replaceChildren(...series().map((each) => Object.assign(make("option", "", each.name), { value: keyOf(each) })));
    if (about && series().some((each) => keyOf(each) === keyOf(about))) of.control.value = keyOf(about);
    scope.control.value = "station";
    body.replaceChildren();
    load();
    dialog.showModal();
    of.control.focus();
  }

  form.addEventListener("submit", async function (event) {
    event.preventDefault();
    const limits = changes();
    if (!limits) return;
    if (Object.keys(limits).length) await send({ limits });
    if (!wrong.textContent) dialog.close();
  });
  for (const { control } of [of, scope]) control.addEventListener("change", load);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const one of [cancel, close]) one.addEventListener("click", () => dialog.close());
  window.riwayatLimits = { open };
})();
