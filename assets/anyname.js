// Any name may be a key. The search of Dash's dropdowns keeps each part of each name in plain
// objects, where `__proto__` means the ancestor of all objects: a station of that name would give
// every object of the page new properties, and end it. So `__proto__` of a plain object is a key
// like any other here; whatever has another ancestor still tells and takes it.
(function () {
  "use strict";

  const isPlain = (value) => Object.getPrototypeOf(value) === Object.prototype;

  Object.defineProperty(Object.prototype, "__proto__", {
    configurable: true,
    get() {
      return isPlain(this) ? undefined : Object.getPrototypeOf(this);
    },
    set(value) {
      if (isPlain(this)) {
        Object.defineProperty(this, "__proto__", { value, writable: true, enumerable: true, configurable: true });
      } else if (value === null || typeof value === "object" || typeof value === "function") {
        Object.setPrototypeOf(this, value);
      }
    },
  });
})();
