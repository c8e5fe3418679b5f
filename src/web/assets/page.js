// What moves by itself: the page follows what happens, lists heed keys, many alerts are acknowledged at once.
"use strict";
(() => {
  const live = document.getElementById("live");
  const main = () => document.getElementById("main");

  // ---- the page follows what happens -------------------------------------------------------------------------------
  const isBusy = () => {
    const own = document.activeElement;
    const typing = own && main().contains(own) && own.matches("input:not([type=checkbox]), textarea, select");
    return typing || main().querySelector("tbody input:checked, details[open]") || window.getSelection().toString();
  };
  let due = 0;
  const reload = async () => {
    due = 0;
    if (isBusy()) { soon(3000); return; }
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (isBusy()) { soon(3000); return; }
      const next = fresh.getElementById("main");
      // A picture is drawn again only where there is something else to draw, so that nothing flickers.
      const drawn = new Map([...main().querySelectorAll("[data-chart]")].map((one) => [one.dataset.chart, one]));
      next.querySelectorAll("[data-chart]").forEach((one) => {
        const known = drawn.get(one.dataset.chart);
        if (known) one.replaceWith(known);
      });
      main().replaceChildren(...next.childNodes);
      begin();
    } catch (_) { /* the daemon is away for a moment: the stream says when it is back */ }
  };
  const soon = (ms) => { if (!due) due = setTimeout(reload, ms); };
  const listen = () => {
    const stream = new EventSource("/api/v1/stream");
    stream.onopen = () => { live.className = "live on"; };
    stream.onerror = () => { live.className = "live lost"; };
    for (const kind of ["alert", "state", "config"]) stream.addEventListener(kind, () => soon(1000));
    addEventListener("pagehide", () => stream.close());
  };

  // ---- lists heed keys -----------------------------------------------------------------------------------------------
  const rows = () => [...document.querySelectorAll("[data-keys] tbody tr")];
  let here = -1;
  const go = (to) => {
    const all = rows();
    if (!all.length) return;
    here = Math.max(0, Math.min(all.length - 1, to));
    all.forEach((row, i) => row.classList.toggle("here", i === here));
    all[here].scrollIntoView({ block: "nearest" });
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    const row = rows()[here];
    const search = document.querySelector("input[type=search]");
    const act = {
      j: () => go(here + 1),
      k: () => go(here - 1),
      x: () => { row?.querySelector("input[type=checkbox]")?.click(); },
      a: () => { document.querySelector("[data-bulk] button.main:not([disabled])")?.click(); },
      Enter: () => { if (event.target === document.body || event.target === main()) row?.querySelector("a")?.click(); },
      "/": () => { if (search) { event.preventDefault(); search.focus(); } },
    }[event.key];
    if (act) act();
  });

  // ---- many at once ----------------------------------------------------------------------------------------------------
  const bulk = () => {
    const form = document.querySelector("[data-bulk]");
    const button = form?.querySelector("button.main");
    if (!button) return;
    const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
    const count = () => {
      const chosen = boxes.filter((box) => box.checked);
      button.disabled = !chosen.length;
      form.querySelector("[data-count]").textContent = chosen.length ? `(${chosen.length})` : "";
      form.elements.ids.value = chosen.map((box) => box.value).join(" ");
    };
    boxes.forEach((box) => box.addEventListener("change", count));
    form.querySelector("[data-all]")?.addEventListener("change", (event) => {
      boxes.forEach((box) => { box.checked = event.target.checked; });
      count();
    });
    count();
  };

  const begin = () => {
    bulk();
    if (here >= 0) go(here);
    document.querySelectorAll("[data-chart]:not([data-drawn])").forEach((one) => window.drawChart(one));
  };
  begin();
  document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  if (document.body.hasAttribute("data-live")) listen();
})();
