/* Auto, light or dark. A classic script in the head: it runs before the first paint. */
(() => {
  const KEY = "theme";
  const CHOICES = ["auto", "light", "dark"];
  const WORDS = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };
  const system = matchMedia("(prefers-color-scheme: dark)");
  let choice = remembered();

  function remembered() {
    try {
      const kept = localStorage.getItem(KEY);
      return CHOICES.includes(kept) ? kept : "auto";
    } catch {
      return "auto"; // storage can be forbidden
    }
  }

  function remember() {
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // it holds for this page then
    }
  }

  function apply() {
    const dark = choice === "dark" || (choice === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    const button = document.getElementById("theme");
    if (button) {
      button.textContent = WORDS[choice];
      button.setAttribute("aria-label", `Theme: ${choice}. Change`);
    }
    document.dispatchEvent(new Event("themechange"));
  }

  function next() {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    remember();
    apply();
  }

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", next);
    apply();
  });
})();
