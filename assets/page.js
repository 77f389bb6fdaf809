// The app's page: keys, live announcements, clocks, fields and runs kept in this browser, files. This script sends no request.
(() => {
  const FIELDS = "refiner.fields.1", BROWSER = "refiner.browser", MOST_RUNS = 50;
  const byId = (id) => document.getElementById(id);
  const within = (name) => ({
    get(key) { try { return window[name].getItem(key); } catch { return null; } },
    set(key, value) {
      try { window[name].setItem(key, value); } catch { // a private window, or full: drop the old value, as nothing is better than what is out of date
        try { window[name].removeItem(key); } catch { /* the old value stays */ }
      }
    },
  });
  const store = within("localStorage"), tab = within("sessionStorage");
  const make = (tag, given = {}, ...inside) => {
    const one = Object.assign(document.createElement(tag), given);
    one.append(...inside);
    return one;
  };

  // A live region announces each step once, politely. It leaves out the counts that change within a step.
  // It announces an error, and marks its field, each time that the error appears again.
  let live = null, step = "";
  const heard = new WeakMap();
  const say = (words) => {
    if (!live) return;
    live.textContent = "";
    setTimeout(() => { live.textContent = words; }, 30);
  };
  const announce = () => document.querySelectorAll("[data-say]").forEach((one) => {
    const words = one.dataset.say;
    if (heard.get(one) === words) return;
    heard.set(one, words);
    const same = words === step && one.matches(".busy");
    step = one.matches(".busy") ? words : "";
    if (!same) say(words);
    mark(one.dataset.field);
  });

  // A clock counts on by itself from the seconds in its data-clock.
  const seconds = (n) => n < 9.95 ? `${n.toFixed(1)} s` : n < 59.5 ? `${Math.round(n)} s`
    : `${Math.floor(Math.round(n) / 60)} min ${String(Math.round(n) % 60).padStart(2, "0")} s`;
  const tick = () => document.querySelectorAll("[data-clock]").forEach((clock) => {
    if (clock.dataset.clock !== clock.from) Object.assign(clock, { from: clock.dataset.clock, since: performance.now() });
    const words = seconds(Number(clock.from) + (performance.now() - clock.since) / 1000);
    if (clock.textContent !== words) clock.textContent = words;
  });

  // Keyboard shortcuts
  const press = (id) => {
    const button = byId(id);
    if (!button || button.disabled || !button.offsetParent) return false;
    button.click();
    return true;
  };
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable], [role=textbox], [role=gridcell]");
  // Escape first closes what is being edited or is open. Only the next one stops the run.
  const busyWith = (target) => target.closest?.("[role=gridcell], [role=listbox]") || target.getAttribute?.("aria-expanded") === "true"
    || (target.type === "search" && target.value);
  const votes = { 1: "vote-first", 2: "vote-second", 3: "vote-tie", 4: "vote-both_bad" };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const at = document.activeElement;
      event.preventDefault();
      if (at?.closest?.("[role=gridcell]")) { // Gradio reads a cell when it loses focus
        at.blur();
        document.body.click();
        setTimeout(() => press("refine"), 400);
        return;
      }
      at?.dispatchEvent(new Event("change", { bubbles: true }));
      press("refine");
    } else if (event.key === "Escape") {
      if (!document.querySelector(":popover-open") && !busyWith(event.target)) press("stop");
    } else if (votes[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      if (press(votes[event.key])) event.preventDefault();
    }
  }, true);
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    if (at("[data-press]")) press(at("[data-press]").dataset.press);
    if (at("#refine")) setTimeout(() => { // the same error again changes nothing on the page, so it would not be announced
      document.querySelectorAll("#status .error").forEach((one) => heard.delete(one));
      announce();
    }, 800);
    // In one column the result begins below the window.
    const opens = at("#history [data-open], #runs-compare");
    if (opens || (at("#refine") && matchMedia("(max-width: 900px)").matches)) {
      setTimeout(() => byId("status")?.scrollIntoView(), 300);
    }
  });

  // Agreement with single verdicts. A second press takes it back. A vote collects it.
  document.addEventListener("click", (event) => {
    const at = event.target.closest?.("[data-agree]");
    if (!at) return;
    const pressed = at.getAttribute("aria-pressed") === "true";
    for (const one of at.parentNode.children) one.setAttribute("aria-pressed", String(one === at && !pressed));
  });
  const agreed = () => {
    const found = { criteria: {}, claims: {} };
    for (const one of document.querySelectorAll("#result [data-agree][aria-pressed=true]")) {
      found[one.dataset.agree][one.dataset.key] = one.dataset.value === "true";
    }
    return JSON.stringify(found);
  };
  const me = () => {
    if (!store.get(BROWSER)) store.set(BROWSER, crypto.randomUUID?.() || String(Math.random()).slice(2));
    return store.get(BROWSER) || "";
  };

  // Marks the field that an error is about and moves the focus there. A fold that hides the field is opened first.
  let faulty = null;
  const mark = (name) => {
    faulty?.removeAttribute("aria-invalid");
    const field = name && byId(name), fold = name && byId(`${name}-fold`)?.querySelector("button");
    const shut = fold && !field?.offsetParent;
    if (shut) fold.click();
    setTimeout(() => {
      faulty = field && field.querySelector("[role=gridcell], textarea, input");
      faulty?.setAttribute("aria-invalid", "true");
      faulty?.focus();
    }, shut ? 200 : 0);
  };

  // Files: saving, copying, choosing
  const save = (name, content, type = "text/plain") => {
    if (!content) return;
    const link = make("a", { href: URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const png = async (name, svg) => {
    if (!svg) return;
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    await image.decode();
    const canvas = make("canvas", { width: 2 * image.naturalWidth, height: 2 * image.naturalHeight });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    canvas.toBlob((blob) => save(name, blob));
  };
  const copy = async (text) => {
    if (!text) return;
    const button = byId("save-copy"), words = button.textContent;
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch {
      const field = make("textarea", { value: text });
      document.body.append(field);
      field.select();
      done = document.execCommand("copy"); // for browsers that keep the clipboard from pages
      field.remove();
      button.focus();
    }
    button.textContent = done ? "Copied ✓" : "Not copied: the browser refused";
    say(button.textContent);
    setTimeout(() => { button.textContent = words; }, 2500);
  };
  const pick = (accept) => new Promise((done) => {
    const input = make("input", { type: "file", accept });
    input.addEventListener("change", async () => done(input.files[0] ? await input.files[0].text() : ""));
    input.addEventListener("cancel", () => done(""));
    input.click();
  });

  // The history: runs in this browser's own database (IndexedDB). At most MOST_RUNS are kept.
  const database = new Promise((done) => {
    try {
      const asked = indexedDB.open("refiner", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("runs", { keyPath: "made" });
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done(null);
    } catch { done(null); }
  });
  const runs = async (mode, work) => {
    const db = await database;
    if (!db) return null;
    return new Promise((done) => {
      const asked = work(db.transaction("runs", mode).objectStore("runs"));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done(null);
    });
  };
  const remember = async (text) => {
    if (!text) return;
    const { made, run } = JSON.parse(text);
    await runs("readwrite", (table) => table.put({ made, text, question: run.request.question, model: run.model.name,
      before: run.draft_reward.total.value, after: run.reward.total.value }));
    const keys = await runs("readonly", (table) => table.getAllKeys()) || [];
    for (const key of keys.slice(0, -MOST_RUNS)) await runs("readwrite", (table) => table.delete(key));
    list();
  };
  const figure = (value) => typeof value === "number" ? value.toFixed(2) : "?";
  const score = (one) => typeof one.after === "number" ? `${figure(one.before)} → ${figure(one.after)}` : "partly scored";
  const when = (made) => new Date(made).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
  const row = (one) => {
    const tick = make("input", { type: "checkbox", value: one.made });
    tick.setAttribute("aria-label", `Compare the run of ${when(one.made)}`);
    const open = make("button", { type: "button", className: "plain run-open", dir: "auto", textContent: one.question });
    open.dataset.open = one.made;
    const gone = make("button", { type: "button", className: "plain", textContent: "Remove" });
    gone.dataset.remove = one.made;
    gone.setAttribute("aria-label", `Remove the run of ${when(one.made)}`);
    const facts = make("span", { className: "muted", textContent: `${when(one.made)} · ${one.model} · ${score(one)}` });
    return make("li", {}, tick, make("span", {}, open, facts), gone);
  };
  const list = async () => {
    const place = byId("runs");
    if (!place) return;
    const found = (await runs("readonly", (table) => table.getAll()) || []).reverse();
    place.replaceChildren(...found.map(row));
    byId("runs-note").hidden = Boolean(await database);
    place.dataset.listed = "yes";
    byId("runs-count").textContent = String(found.length);
    byId("history").classList.toggle("none", !found.length);
    byId("runs-clear").textContent = "Clear all";
    choose();
  };
  const chosen = () => [...document.querySelectorAll("#runs input:checked")].map((one) => one.value).sort();
  const running = () => byId("stop")?.disabled === false;
  const choose = () => {
    for (const one of document.querySelectorAll("#history button")) {
      const off = running() || (one.id === "runs-compare" && chosen().length !== 2);
      if (one.disabled !== off) one.disabled = off;
    }
  };
  let handed = [];
  const hand = async (button, keys) => {
    handed = (await Promise.all(keys.map((key) => runs("readonly", (table) => table.get(key))))).map((one) => one?.text || "");
    byId(button)?.click();
  };
  const ask = { open: (key) => hand("reopen", [key]), compare: () => hand("compare", chosen()),
    remove: async (key) => { await runs("readwrite", (table) => table.delete(key)); await list(); byId("runs-summary").focus(); say("Removed."); },
    file: async () => { handed = [await pick(".json,.html")]; if (handed[0]) byId("reopen")?.click(); },
    clear: async (button) => {
      if (button.textContent !== "Really clear all?") { button.textContent = "Really clear all?"; return; }
      await runs("readwrite", (table) => table.clear());
      await list();
      byId("runs-summary").focus();
      say("Cleared.");
    } };
  document.addEventListener("click", (event) => {
    const at = event.target.closest?.("#history button");
    if (!at) return;
    if (at.dataset.open) ask.open(at.dataset.open);
    else if (at.dataset.remove) ask.remove(at.dataset.remove);
    else ask[at.dataset.runs]?.(at);
  });
  document.addEventListener("change", (event) => { if (event.target.closest?.("#runs")) choose(); });
  document.addEventListener("toggle", (event) => { if (event.target.id === "history") list(); }, true); // another tab may have added a run

  // The column of fields ends at the bottom of the window, so that its buttons are in sight wherever it begins.
  const place = () => {
    const left = byId("left"), top = left && `${Math.max(62, Math.round(left.getBoundingClientRect().top))}px`;
    if (top && left.style.getPropertyValue("--top") !== top) left.style.setProperty("--top", top);
  };

  const look = () => {
    announce();
    tick();
    if (!byId("runs")) return;
    if (!byId("runs").dataset.listed) { byId("runs").dataset.listed = "asked"; list(); }
    choose(); // while a run is under way, no other can be opened
  };
  const begin = () => {
    live = make("div", { id: "live", className: "sr", role: "status", ariaLive: "polite" });
    document.body.append(live);
    new MutationObserver(look).observe(
      document.body, { childList: true, subtree: true, characterData: true, attributeFilter: ["data-say", "disabled"] });
    setInterval(() => { tick(); place(); }, 500);
    for (const name of ["scroll", "resize"]) addEventListener(name, place, { passive: true });
  };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);

  window.refiner = {
    keep(names, values) {
      const fields = JSON.stringify(Object.fromEntries(names.map((name, i) => [name, values[i]])));
      tab.set(FIELDS, fields);
      store.set(FIELDS, fields);
    },
    kept(names, values) { // this tab's own values. A new tab begins with those that any tab wrote last.
      let saved = null;
      try { saved = JSON.parse(tab.get(FIELDS) || store.get(FIELDS)); } catch { /* unreadable: use the fields' own values */ }
      return saved ? names.map((name, i) => saved[name] ?? values[i]) : values;
    },
    save, png, copy, pick, remember, agreed, me,
    handed: (place) => handed[place] || "",
  };
})();
