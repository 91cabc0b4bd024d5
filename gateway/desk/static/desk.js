/* What a page does by itself: it listens for what has changed, keeps what somebody has opened, copies, prints, and
   shows dialogs. Everything else is a link or a form and works without this file. Nothing here knows a rule. */
(() => {
  "use strict";
  const cut = document.getElementById("cut");
  const dialog = document.getElementById("dialog");
  const said = document.getElementById("said");
  const topics = ["cases", "texts", "levels", "quarantine"];
  const tell = (topic) => document.body.dispatchEvent(new CustomEvent(`desk-${topic}`));

  /* The gateway says something at least every 15 seconds. A page that hears nothing for much longer says so and asks
     again: a proxy may hold back what it is told, and a connection may be dead without anybody knowing. */
  const silentMs = 40000;
  if ("live" in document.body.dataset) {
    const full = document.getElementById("full");
    let stream = null;
    let silence = 0;
    const heard = (isFull) => {
      clearTimeout(silence);
      silence = setTimeout(() => { cut.hidden = false; listen(); }, silentMs);
      full.hidden = !isFull;
      cut.hidden = !("waits" in cut.dataset);  /* the map may still wait for its sites */
    };
    const listen = () => {
      stream?.close();
      stream = new EventSource(`/live?seen=${encodeURIComponent(document.body.dataset.live)}`);
      for (const topic of topics) stream.addEventListener(topic, () => { heard(false); tell(topic); });
      stream.addEventListener("still", () => heard(false));
      stream.addEventListener("full", () => { heard(true); topics.forEach(tell); });
      stream.onerror = () => { cut.hidden = !full.hidden; };
      clearTimeout(silence);
      silence = setTimeout(() => { cut.hidden = false; listen(); }, silentMs);
    };
    listen();
    addEventListener("pagehide", () => { clearTimeout(silence); stream.close(); });
    addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  }

  document.querySelector(".menu [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

  /* A part that keeps itself new is not exchanged under somebody's hand: a press whose link is gone before the finger is
     up would do nothing, and half a word would be lost. What came meanwhile is asked for as soon as the hand is gone. */
  let pressed = null;
  let isBehind = false;
  const isInUse = (part) => {
    const active = document.activeElement;
    return part.contains(pressed) || (part.contains(active) && active.matches("input, select, textarea"));
  };
  const waits = ({ target, requestConfig }) => {
    const asksForItself = requestConfig.verb === "get" && target.hasAttribute("hx-get");
    const isWaiting = asksForItself && isInUse(target);
    isBehind ||= isWaiting;
    return isWaiting;
  };
  const catchUp = () => {
    if (!isBehind) return;
    isBehind = false;
    topics.forEach(tell);  /* a part that is still in use is behind again */
  };
  const release = () => { pressed = null; setTimeout(catchUp); };  /* the click comes after the release */
  document.addEventListener("pointerdown", (event) => { pressed = event.target; });
  for (const ended of ["pointerup", "pointercancel", "contextmenu"]) document.addEventListener(ended, release);
  document.addEventListener("focusout", () => setTimeout(catchUp));
  let open = [];
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (waits(event.detail)) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr } = event.detail;
    if (waits(event.detail)) { event.detail.shouldSwap = false; return; }
    if (target.id !== "live") return;
    if (xhr.status >= 400) { event.detail.shouldSwap = false; cut.hidden = false; return; }
    open = [...target.querySelectorAll("details[open][id]")].map((details) => details.id);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "dialog" && !dialog.open) dialog.showModal();
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    open = [];
    if (event.detail.target.id === "said") {
      said.classList.add("shown");
      clearTimeout(said.timer);
      said.timer = setTimeout(() => said.classList.remove("shown"), 8000);
    }
  });

  /* A photograph goes ahead of its form, so that a refused one costs nothing that was typed. */
  for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
  document.addEventListener("change", async (event) => {
    const input = event.target.closest("[data-upload]");
    if (!input) return;
    const place = document.querySelector(input.dataset.shows);
    place.replaceChildren();
    if (!input.files.length) return;
    try {
      const answer = await fetch(input.dataset.upload, {
        method: "POST", body: input.files[0], headers: { "X-CSRF": input.dataset.token, Accept: "text/html" },
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const outcome = page.querySelector("#outcome");
      place.replaceChildren(...(outcome ? [outcome] : page.body.childNodes));
      if (!answer.ok) input.value = "";
    } catch {
      place.textContent = input.dataset.failed;
      input.value = "";
    }
  });

  const copy = async (text) => {
    if (navigator.clipboard) { await navigator.clipboard.writeText(text); return; }
    const area = document.createElement("textarea");  /* a page without TLS has no clipboard of its own */
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-print], [data-close]");
    if (!button) return;
    if (button.dataset.copy) {
      await copy(document.querySelector(button.dataset.copy).textContent.trim());
      button.textContent = "已复制";
    } else if ("print" in button.dataset) {
      print();
    } else if (dialog.open) {
      event.preventDefault();
      dialog.close();
    } else if (button.tagName === "BUTTON") {
      history.back();
    }
  });
})();
