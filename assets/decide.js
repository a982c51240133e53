// The dialog in which readings are flagged or corrected by hand: of a series, from one stamp to
// another. It comes when it is first opened: from the cursors A and B (cursors.js), or from an event
// (decisions.js).
(function () {
  "use strict";

  const MINUTE_MS = 60000;
  const MOST_REASON = 500; // characters
  const FLAGS = ["wrong", "right", "suspect"];
  const AMOUNTS = ["offset", "factor", "shift"];
  const words = JSON.parse(document.getElementById("review").dataset.words);
  const decisions = window.riwayatDecisions;
  const keyOf = ({ station, sensor }) => `${station}.${sensor}`;
  const series = () => window.riwayatChart.review.series;
  let seen = 0; // the last decision that was known when the dialog was opened
  const given = {}; // times in whole, as they were given

  function make(tag, css, ...children) {
    const made = document.createElement(tag);
    made.className = css;
    made.append(...children);
    return made;
  }

  const choices = (names) => Object.entries(names).map(([value, text]) => Object.assign(make("option", "", text), { value }));

  // A field with its label, and the place of what is wrong with it.
  function field(name, label, control, hint = "") {
    Object.assign(control, { id: `decide-${name}`, name });
    const text = make("label", "", label);
    text.htmlFor = control.id;
    const wrong = make("small", "decide-wrong");
    wrong.id = `${control.id}-wrong`;
    wrong.setAttribute("role", "alert");
    control.setAttribute("aria-describedby", wrong.id);
    const box = make("div", "field", text, control, ...(hint ? [make("small", "embed-hint", hint)] : []), wrong);
    return { box, control, label: text, wrong };
  }

  const select = (names = {}) => make("select", "form-select form-select-sm", ...choices(names));
  const input = (more) => Object.assign(make("input", "form-control form-control-sm"), more);

  const fields = {
    series: field("series", words.heads[2], select()),
    from: field("from", words.from, input({ type: "datetime-local", step: "1" })),
    to: field("to", words.to, input({ type: "datetime-local", step: "1" }), words.both),
    kind: field("kind", words.decision, select(words.choices)),
    rule: field("rule", words.ruleOf, select({ "": words.anyRule, ...words.rules })),
    amount: field("amount", words.amounts.offset, input({ type: "number", step: "any" })),
    filled_from: field("filled_from", words.fillFrom, select()),
    reason: field("reason", words.reason, Object.assign(make("textarea", "form-control form-control-sm"), { rows: 2, maxLength: MOST_REASON })),
  };
  const wrong = make("p", "decide-wrong");
  wrong.setAttribute("role", "alert");
  const clash = make("div", "decide-clash");
  clash.setAttribute("role", "alert");
  const save = Object.assign(make("button", "btn btn-primary", words.save), { type: "submit" });
  const cancel = Object.assign(make("button", "btn btn-sm", words.cancel), { type: "button" });
  const close = Object.assign(make("button", "details-close", "×"), { type: "button" });
  close.setAttribute("aria-label", words.close);
  const title = make("h2", "", words.title);
  title.id = "decide-title";
  const span = make("div", "decide-span", fields.from.box, fields.to.box);
  const others = [fields.kind, fields.rule, fields.amount, fields.filled_from, fields.reason].map(({ box }) => box);
  const form = make("form", "", make("div", "details-head", title, close), fields.series.box, span, ...others, wrong, clash, make("div", "saved-buttons", save, cancel));
  form.noValidate = true;
  const dialog = make("dialog", "decide", form);
  dialog.setAttribute("aria-labelledby", title.id);
  document.body.append(dialog);

  const value = (name) => fields[name].control.value;
  const find = (key) => series().find((each) => keyOf(each) === key);

  // What a kind needs is there, and nothing else.
  function fit() {
    const kind = value("kind");
    fields.rule.box.hidden = !FLAGS.includes(kind);
    fields.amount.box.hidden = !AMOUNTS.includes(kind);
    fields.filled_from.box.hidden = kind !== "fill";
    const { unit = "" } = find(value("series")) || {};
    fields.amount.label.textContent = (words.amounts[kind] || "").replace("{unit}", () => unit);
    fields.reason.label.textContent = FLAGS.includes(kind) ? words.reasonIfAny : words.reason;
    const own = value("series");
    const same = series().filter((each) => keyOf(each) !== own && each.unit === unit);
    const chosen = value("filled_from");
    fields.filled_from.control.replaceChildren(...choices(Object.fromEntries(same.map((each) => [keyOf(each), each.name]))));
    if (same.some((each) => keyOf(each) === chosen)) fields.filled_from.control.value = chosen;
  }

  // Times in whole, where they were not changed: a field has no milliseconds.
  const timeOf = (name) => (value(name) === given[name].text ? given[name].ms : decisions.time(value(name)));

  function body() {
    const { station, sensor } = find(value("series"));
    const kind = value("kind");
    const found = { station, sensor, kind, from: timeOf("from"), to: timeOf("to"), seen };
    if (value("reason").trim()) found.reason = value("reason").trim();
    if (FLAGS.includes(kind) && value("rule")) found.rule = value("rule");
    if (AMOUNTS.includes(kind)) found.amount = kind === "shift" ? Math.round(Number(value("amount")) * MINUTE_MS) : Number(value("amount"));
    const other = kind === "fill" && find(value("filled_from"));
    if (other) found.filled_from = { station: other.station, sensor: other.sensor };
    return found;
  }

  function tell(name, text) {
    const one = fields[name];
    if (!one || one.box.hidden) return void (wrong.textContent = text);
    one.wrong.textContent = text;
    one.control.setAttribute("aria-invalid", "true");
    one.control.focus();
  }

  function untell() {
    wrong.textContent = "";
    clash.replaceChildren();
    for (const one of Object.values(fields)) {
      one.wrong.textContent = "";
      one.control.removeAttribute("aria-invalid");
    }
  }

  // What can be said here is said before the server is asked.
  function problem(found) {
    if (Number.isNaN(found.from)) return ["from", words.noTime];
    if (Number.isNaN(found.to)) return ["to", words.noTime];
    if (AMOUNTS.includes(found.kind) && !value("amount").trim()) return ["amount", words.noAmount];
    return null;
  }

  async function send() {
    untell();
    const found = body();
    const lacks = problem(found);
    if (lacks) return tell(...lacks);
    save.disabled = true;
    const answer = await decisions.send(found);
    save.disabled = false;
    if (answer.number) return dialog.close();
    if (answer.status === 409 && answer.newer.length) return disagree(answer);
    tell((answer.field || "").split(".")[0], answer.message);
  }

  // Somebody else has decided meanwhile: what, and whether to go on all the same.
  function disagree({ newer }) {
    seen = Math.max(seen, ...newer.map(({ number }) => number));
    const list = make("ul", "", ...newer.map((one) => make("li", "", decisions.whole(one))));
    const anyway = Object.assign(make("button", "btn btn-sm", words.anyway), { type: "submit" });
    clash.replaceChildren(make("p", "", words.conflict), list, anyway);
    anyway.focus();
  }

  // `about`: station and sensor (none: the first that may be decided about), the stamps from and
  // to, rule and kind where they are known.
  function open(about) {
    untell();
    seen = decisions.last();
    const may = series().filter((each) => each.may);
    fields.series.control.replaceChildren(...choices(Object.fromEntries(may.map((each) => [keyOf(each), each.name]))));
    const own = may.find((each) => keyOf(each) === keyOf(about)) || may.find(({ station }) => station === about.station);
    if (own) fields.series.control.value = keyOf(own);
    for (const name of ["from", "to"]) {
      given[name] = { text: decisions.wall(about[name]), ms: about[name] };
      fields[name].control.value = given[name].text;
      given[name].text = fields[name].control.value;
    }
    fields.kind.control.value = about.kind || "wrong";
    fields.rule.control.value = about.rule && !about.gap ? about.rule : "";
    fields.amount.control.value = "";
    fields.reason.control.value = "";
    fit();
    dialog.showModal();
    fields.kind.control.focus();
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    send();
  });
  form.addEventListener("change", fit);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const one of [cancel, close]) one.addEventListener("click", () => dialog.close());
  window.riwayatDecide = { open };
})();
