// Rules for the scripts of assets/ and their tests. The browser's names are listed: a script may use no other global.
import js from "@eslint/js";

const browser = [
  "AbortController", "Blob", "CSS", "CustomEvent", "Error", "Event", "EventSource", "IntersectionObserver", "MutationObserver", "Notification",
  "Response", "ResizeObserver", "URL", "URLSearchParams", "clearTimeout", "console", "document", "fetch", "getComputedStyle", "history",
  "localStorage", "location", "navigator", "performance", "requestAnimationFrame", "sessionStorage", "setTimeout", "window",
];
const readonly = (names) => Object.fromEntries(names.map((name) => [name, "readonly"]));

export default [
  js.configs.recommended,
  { rules: { eqeqeq: "error", "no-implicit-globals": "error", "no-var": "error", "prefer-const": "error" } },
  { files: ["assets/**/*.js"], languageOptions: { sourceType: "script", globals: readonly(browser) } },
  { files: ["**/*.mjs"], languageOptions: { globals: readonly([...browser, "EventTarget", "process"]) } },
];
