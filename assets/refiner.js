// Keys, the diff's switch, and the fields kept in this browser. No request leaves from here.
(() => {
  const FIELDS = "refiner.fields.1", VIEW = "refiner.view";
  const root = document.documentElement;
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* private window: nothing is kept */ } },
  };

  const pressed = () => document.querySelectorAll("[data-set-view]").forEach(
    (button) => button.setAttribute("aria-pressed", String(button.dataset.setView === root.dataset.view)));
  const view = (name) => { root.dataset.view = name; store.set(VIEW, name); pressed(); };
  const narrow = () => matchMedia("(max-width: 900px)").matches;
  root.dataset.view = store.get(VIEW) || (narrow() ? "inline" : "side");

  // What changed is said once a step, politely; the counts that tick along are for the eye only.
  let said = "";
  const say = () => {
    const words = document.querySelector("#status [data-say]")?.dataset.say || "";
    const live = document.getElementById("live");
    if (live && words !== said) { said = words; live.textContent = words; }
  };

  const press = (id) => {
    const button = document.getElementById(id);
    if (!button || button.disabled || !button.offsetParent) return false;
    button.click();
    return true;
  };
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable], [role=textbox], [role=gridcell]");
  const votes = { 1: "vote-refined", 2: "vote-draft", 3: "vote-tie", 4: "vote-both_bad" };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      document.activeElement?.dispatchEvent(new Event("change", { bubbles: true }));
      if (press("refine")) event.preventDefault();
    } else if (event.key === "Escape") {
      if (!document.querySelector(":popover-open")) press("stop");
    } else if (votes[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      if (press(votes[event.key])) event.preventDefault();
    }
  }, true);

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-set-view]");
    if (button) view(button.dataset.setView);
    // In one column the result begins out of sight.
    if (event.target.closest?.("#refine") && narrow()) {
      setTimeout(() => document.getElementById("status")?.scrollIntoView(), 300);
    }
  });

  const begin = () => {
    const live = document.createElement("div");
    live.id = "live";
    live.className = "sr";
    live.setAttribute("role", "status");
    live.setAttribute("aria-live", "polite");
    document.body.append(live);
    new MutationObserver(() => { pressed(); say(); }).observe(
      document.body, { childList: true, subtree: true, characterData: true, attributeFilter: ["data-say"] });
  };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);

  window.refiner = {
    keep(names, values) {
      store.set(FIELDS, JSON.stringify(Object.fromEntries(names.map((name, i) => [name, values[i]]))));
    },
    kept(names, values) {
      let saved = null;
      try { saved = JSON.parse(store.get(FIELDS)); } catch { /* unreadable: as if there were none */ }
      return saved ? names.map((name, i) => saved[name] ?? values[i]) : values;
    },
    download(name, text) {
      if (!text) return;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      link.download = name;
      link.click();
      URL.revokeObjectURL(link.href);
    },
  };
})();
