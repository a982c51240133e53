// A page for scripts of assets/ under node: just what they touch of a browser.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const assets = new URL("../../assets/", import.meta.url);

// Run some scripts as a page does, one after the other; return its window.
export function page(scripts, parts = {}) {
  const listeners = new EventTarget();
  const window = {
    addEventListener: listeners.addEventListener.bind(listeners),
    removeEventListener: listeners.removeEventListener.bind(listeners),
    dispatchEvent: listeners.dispatchEvent.bind(listeners),
    clearTimeout,
    document: { addEventListener() {}, getElementById: () => null, scripts: [] },
    location: { hash: "", href: "http://127.0.0.1/", search: "" },
    matchMedia: () => ({ addEventListener() {}, matches: false }),
    setTimeout,
    ...parts,
  };
  const globals = { AbortController, Blob, Date, Event, Map, Math, Response, Set, URL, URLSearchParams, console, ...window, window };
  const context = vm.createContext(globals);
  for (const script of scripts) vm.runInContext(readFileSync(new URL(script, assets), "utf8"), context, { filename: script });
  return window;
}

// An element, as far as scripts make and fill some: children, classes, attributes, clicks.
export class Element {
  constructor(tag) {
    Object.assign(this, { attributes: {}, children: [], className: "", dataset: {}, hidden: false, listeners: {}, style: {}, tag });
  }

  get firstChild() {
    return this.children[0];
  }

  get firstElementChild() {
    return this.children.find(({ tag }) => tag !== "text");
  }

  get textContent() {
    return this.children.map((child) => child.textContent).join("") || this.text || "";
  }

  set textContent(text) {
    Object.assign(this, { children: [], text });
  }

  append(...children) {
    for (const child of children) {
      const made = typeof child === "string" ? Object.assign(new Element("text"), { text: child }) : child;
      made.remove();
      made.parent = this;
      this.children.push(made);
    }
  }

  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  addEventListener(kind, listener) {
    this.listeners[kind] = listener;
  }

  click() {
    this.listeners.click({ target: this });
  }

  // All elements in it that have a class.
  all(css) {
    const own = this.className.split(" ").includes(css) ? [this] : [];
    return [...own, ...this.children.flatMap((child) => child.all(css))];
  }
}
