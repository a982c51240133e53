// The dialog in which a report is sent by itself every month or week: what one sends already, and a
// form for the stations and sensors that are shown. It comes with the first press of Send by mail in
// the menu Report (workbench.js).
(function () {
  "use strict";

  const opener = document.getElementById("schedules-open");
  const words = JSON.parse(opener.dataset.words);
  const { ask } = window.riwayatDecisions;

  function make(tag, css, ...children) {
    const made = document.createElement(tag);
    made.className = css;
    made.append(...children);
    return made;
  }

  // A field with its label and a hint.
  function field(name, label, control, hint = "") {
    Object.assign(control, { id: `schedule-${name}`, name });
    const text = make("label", "", label);
    text.htmlFor = control.id;
    return { control, box: make("div", "field", text, control, ...(hint ? [make("small", "embed-hint", hint)] : [])) };
  }

  const select = (names) => make("select", "form-select form-select-sm", ...Object.entries(names).map(([value, text]) => Object.assign(make("option", "", text), { value })));
  const input = () => Object.assign(make("input", "form-control form-control-sm"), { autocomplete: "off" });
  const button = (css, text, type = "button") => Object.assign(make("button", css, text), { type });

  const fields = {
    to: field("to", words.to, input(), words.toHint),
    title: field("title", words.name, Object.assign(input(), { maxLength: 120 })),
    every: field("every", words.every, select(words.rhythms), words.everyHint),
    format: field("format", words.format, select(words.formats)),
  };
  const list = make("div", "review-scroll");
  const listHead = make("h3", "", words.list);
  const about = make("p", "");
  const wrong = make("p", "decide-wrong");
  wrong.setAttribute("role", "alert");
  const add = button("btn btn-primary", words.add, "submit");
  const close = button("details-close", "×");
  close.setAttribute("aria-label", words.close);
  const title = make("h2", "", words.title);
  title.id = "schedules-title";
  const pair = make("div", "decide-span", fields.every.box, fields.format.box);
  const asked = make("div", "schedule-new", about, fields.to.box, fields.title.box, pair, make("div", "saved-buttons", add));
  const form = make("form", "", make("div", "details-head", title, close), asked, wrong, listHead, list);
  form.noValidate = true;
  const dialog = make("dialog", "decide limits", form);
  dialog.setAttribute("aria-labelledby", title.id);
  document.body.append(dialog);

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  const when = (time, timeZone) => new Date(time).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short", timeZone });

  // What became of the latest period, and why.
  function latest({ periods: [last], timezone }) {
    if (!last) return words.none;
    const said = `${last.period}: ${words.statuses[last.status] || last.status}`;
    return last.sent ? `${said}, ${when(last.sent, timezone)}` : [said, last.note].filter(Boolean).join(". ");
  }

  function row(one) {
    const [remove, line] = [button("btn btn-sm", words.remove), make("tr", "")];
    remove.setAttribute("aria-label", `${words.remove}: ${one.name}`);
    remove.addEventListener("click", async function ({ detail }) {
      if (detail > 1) return; // the second half of a double click is no answer to what it asks
      if (remove.dataset.sure === undefined) {
        remove.dataset.sure = "";
        remove.textContent = words.sure;
        return;
      }
      const answer = await ask(`schedules/${encodeURIComponent(one.id)}`, { method: "DELETE" });
      if (answer.message) wrong.textContent = answer.message;
      else await load();
    });
    const what = `${words.rhythms[one.every]} · ${words.formats[one.format]} · ${one.to.join(", ")}`;
    const parts = [make("strong", "", one.name), make("br", ""), make("small", "", what)];
    const runs = [fill(words.next, { time: when(one.next, one.timezone) }), make("br", ""), make("small", "", latest(one))];
    line.append(make("td", "text", ...parts), make("td", "text", ...runs), make("td", "", remove));
    return line;
  }

  async function load() {
    const answer = await ask("schedules");
    if (!answer.schedules) return void (wrong.textContent = answer.message);
    for (const each of asked.querySelectorAll(".field, .saved-buttons")) each.hidden = !answer.mail;
    about.textContent = answer.mail ? words.about : words.noMail;
    listHead.hidden = !answer.schedules.length;
    list.replaceChildren(make("table", "limits-table", make("tbody", "", ...answer.schedules.map(row))));
  }

  // The stations and sensors of what is shown.
  async function shown() {
    const { request, ...trouble } = await ask(`jobs/${encodeURIComponent(window.riwayatChart.job)}`);
    return request ? { stations: request.stations, sensors: request.sensors, timezone: request.timezone } : trouble;
  }

  form.addEventListener("submit", async function (event) {
    event.preventDefault();
    wrong.textContent = "";
    for (const { control } of Object.values(fields)) control.removeAttribute("aria-invalid");
    add.disabled = true;
    const of = await shown();
    const flags = new URLSearchParams(window.location.search).get("flags");
    const [every, format, name] = ["every", "format", "title"].map((each) => fields[each].control.value);
    const to = fields.to.control.value.split(/[\s,;]+/).filter(Boolean);
    const body = JSON.stringify({ ...of, to, every, format, title: name.trim(), ...(flags ? { flags } : {}) });
    const answer = of.stations ? await ask("schedules", { method: "POST", body }) : of;
    add.disabled = false;
    if (answer.id) {
      fields.to.control.value = "";
      return void load();
    }
    wrong.textContent = to.length ? answer.message : words.noAddress;
    const at = fields[to.length ? answer.field : "to"];
    if (!at) return;
    at.control.setAttribute("aria-invalid", "true");
    at.control.focus();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  close.addEventListener("click", () => dialog.close());

  function open() {
    wrong.textContent = "";
    opener.closest("details").open = false;
    load();
    dialog.showModal();
    fields.to.control.focus();
  }

  window.riwayatSchedules = { open };
})();
