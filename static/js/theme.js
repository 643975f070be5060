/* Loaded in <head> before anything is drawn, so that a page never flashes in the wrong theme.
   A classic script on purpose: a module would run after the first paint. */
(function () {
  "use strict";
  const KEY = "sb-theme";
  const ORDER = ["auto", "light", "dark"];
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      const value = localStorage.getItem(KEY);
      return ORDER.includes(value) ? value : "auto";
    } catch {
      return "auto"; // storage is switched off: the system's theme, every time
    }
  }

  function apply() {
    const choice = chosen();
    const theme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
    document.documentElement.setAttribute("data-bs-theme", theme);
    for (const button of document.querySelectorAll("[data-theme-toggle]")) label(button, choice);
    document.dispatchEvent(new CustomEvent("sb:theme", { detail: theme }));
  }

  function label(button, choice) {
    button.dataset.theme = choice;
    const next = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length];
    button.setAttribute("aria-label", `Theme: ${choice}. Change to ${next}`);
    button.title = `Theme: ${choice}`;
  }

  function toggle() {
    const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
    try {
      localStorage.setItem(KEY, next);
    } catch {
      return;
    }
    apply();
  }

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", function () {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      label(button, chosen());
      button.hidden = false;
      button.addEventListener("click", toggle);
    }
  });
})();
