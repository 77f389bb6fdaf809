// What a result does without a server: the diff's switch, cards, notes, sorting, filtering. The app and a saved page share it.
(() => {
  const VIEW = "refiner.view", root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const kept = () => { try { return localStorage.getItem(VIEW); } catch { return null; } };

  // The switch between the two views of the diff
  const narrow = () => matchMedia("(max-width: 900px)").matches;
  const pressed = () => all("[data-set-view]").forEach(
    (button) => button.setAttribute("aria-pressed", String(button.dataset.setView === root.dataset.view)));
  const view = (name) => {
    root.dataset.view = name;
    try { localStorage.setItem(VIEW, name); } catch { /* a private window: the choice holds for this page only */ }
    pressed();
  };
  root.dataset.view = kept() || (narrow() ? "inline" : "side");

  // Cards: hover and keyboard focus show a card for a moment. A click or Enter makes it stay.
  let shown = null, stays = false, timer = 0;
  const later = (work, wait) => { clearTimeout(timer); timer = setTimeout(work, wait); };
  const look = (chip, byFocus) => {
    const card = document.getElementById(chip.getAttribute("popovertarget"));
    if (!shown?.isConnected) stays = false; // the card that stayed open is gone with its result
    if (!card || card.matches(":popover-open") || stays) return;
    card.showPopover({ source: chip });
    card.inert = byFocus; // so that Tab goes to the next chip, not into the card
    shown = card;
  };
  const leave = () => { if (shown && !stays && !shown.matches(":hover")) shown.hidePopover(); };
  const part = (target) => target.closest?.(".chip[popovertarget], .card");

  // A card opens only if the mouse itself was moved, not if the page moved under a resting mouse.
  let over = null, place = "";
  document.addEventListener("pointermove", (event) => {
    const here = `${event.screenX} ${event.screenY}`, at = part(event.target) || null;
    if (event.pointerType !== "mouse" || here === place) return;
    place = here;
    if (at === over) return;
    over = at;
    if (at?.matches(".card")) clearTimeout(timer);
    else if (at) later(() => { if (at.matches(":hover")) look(at, false); }, 150);
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && !part(event.target) && shown && !stays) later(leave, 250);
  });
  document.addEventListener("focusin", (event) => {
    const at = part(event.target);
    if (at?.matches(".chip") && at.matches(":focus-visible") && !event.relatedTarget?.closest(".card")) look(at, true);
    else if (!at) leave();
  });
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.(".card")) return;
    if (event.newState === "open") shown = event.target;
    else {
      event.target.inert = false;
      if (event.target === shown) { shown = null; stays = false; }
    }
  }, true);
  const press = (event, chip) => {
    const card = document.getElementById(chip.getAttribute("popovertarget"));
    clearTimeout(timer);
    if (shown === card && !stays && card.matches(":popover-open")) event.preventDefault(); // it is open already, so the click must not close it
    card.inert = false;
    stays = !(stays && shown === card);
  };

  // Sorts the claims by a column
  const sort = (button) => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const up = head.getAttribute("aria-sort") !== "ascending";
    const value = (row) => Number(row.dataset[button.dataset.sort]);
    all("th[aria-sort]", head.parentNode).forEach((one) => one.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * (value(a) - value(b)) || a.dataset.row - b.dataset.row));
  };

  // Filters the sources by words and by whether they are cited
  const filter = (place) => {
    const sheet = place.closest(".sheet");
    const words = sheet.querySelector("[data-filter-sources]").value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const which = sheet.querySelector("[data-show-sources][aria-pressed=true]").dataset.showSources;
    const items = all(".sources > li", sheet);
    for (const item of items) {
      const text = item.textContent.toLocaleLowerCase(), cited = item.dataset.uses !== "0";
      item.hidden = !(words.every((word) => text.includes(word)) && (which === "all" || (which === "cited") === cited));
    }
    sheet.querySelector("[data-no-sources]").textContent = items.some((item) => !item.hidden) ? "" : "No source has these words.";
  };

  // Follows a link within the page by hand, because a <base> on the page could turn it into a link to elsewhere
  const jump = (event, link) => {
    const target = document.getElementById(link.getAttribute("href").slice(1));
    event.preventDefault();
    if (!target) return;
    all(".reached").forEach((one) => one.classList.remove("reached"));
    for (let one = target.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    target.classList.add("reached");
    target.tabIndex = -1;
    target.focus();
  };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    const found = at("[data-set-view], .chip[popovertarget], [data-sort], [data-show-sources], .did-tags");
    const note = at(".did");
    all(".did.open").forEach((one) => one !== note && one.classList.remove("open"));
    if (at("a[href^='#']")) jump(event, at("a[href^='#']"));
    if (!found) return;
    if (found.dataset.setView) view(found.dataset.setView);
    else if (found.matches(".chip")) press(event, found);
    else if (found.dataset.sort) sort(found);
    else if (found.matches(".did-tags")) { note.classList.toggle("open"); note.classList.remove("hush"); }
    else {
      all("[data-show-sources]", found.parentNode).forEach((one) => one.setAttribute("aria-pressed", String(one === found)));
      filter(found);
    }
  });
  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-filter-sources]")) filter(event.target); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") all(".did:hover, .did:focus-within, :is(.pair, .sentence):hover .did").forEach((one) => {
      one.classList.remove("open");
      one.classList.add("hush");
    });
  });
  document.addEventListener("focusin", (event) => event.target.closest?.(".did")?.classList.remove("hush"));
  document.addEventListener("pointerout", (event) => {
    const place = event.target.closest?.(".pair, .sentence");
    if (place && !place.contains(event.relatedTarget)) all(".hush", place).forEach((one) => one.classList.remove("hush"));
  });

  const begin = () => {
    pressed();
    new MutationObserver(pressed).observe(document.body, { childList: true, subtree: true });
  };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
