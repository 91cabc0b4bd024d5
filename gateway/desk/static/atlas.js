/* The atlas: Leaflet drawn over the outlines and sites that the desk answers with. It knows shapes by their names and no
   word at all: what is shown comes from the page or with the sites, and goes in as text, since a name may hold anything. */
(() => {
  "use strict";
  const frame = document.getElementById("atlas");
  const cut = document.getElementById("cut");
  const signs = new Map([...document.getElementById("signs").content.children].map((sign) => [sign.dataset.shape, sign]));
  const paper = new Map([...document.querySelectorAll(".maps [data-site]")].map((dot) => [dot.dataset.site, dot]));
  const AGAIN_MS = 5000;
  const CLOSEST = 18;
  const ROOMY_PX = 26;  /* from sign to sign, on average; with less they are drawn smaller */
  const SMALLEST = 0.36;
  const { tiles, credit } = frame.dataset;
  const sites = new Map();
  const names = [];
  let map = null;

  /* Every site is a link of its own, which can be reached by keyboard, opened beside and read aloud; a canvas cannot be.
     The links are placed here and not by L.marker, which moves each on a layer of its own: with 5,000 of them a browser
     without a graphics card showed two frames a second of a drag, and four to seven so. Those far outside the window are
     not drawn at all, so that it is quick from the first step closer on. */
  const draw = (site) => {
    const link = document.createElement("a");
    link.className = "site";
    link.href = frame.dataset.site + encodeURIComponent(site.id);
    map.getPane("sites").append(link);
    return { link, shows: "" };
  };

  const lay = (node, latlng) => {
    const { x, y } = map.latLngToLayerPoint(latlng);
    node.style.transform = `translate(${x}px, ${y}px)`;
  };

  const show = (site) => {
    const shows = JSON.stringify(site);
    const drawn = sites.get(site.id) ?? draw(site);
    if (drawn.shows === shows) return;
    const sign = signs.get(site.shape).cloneNode(true);
    sign.querySelector(".dot").classList.add(`look-${site.look}`);
    drawn.link.replaceChildren(sign);
    drawn.link.title = site.said;
    drawn.link.setAttribute("aria-label", site.said);
    drawn.link.style.zIndex = site.above;  /* the worst lies on top */
    lay(drawn.link, site.place);
    const isNew = !drawn.shows;
    sites.set(site.id, Object.assign(drawn, { shows, place: site.place }));
    if (!isNew) print(site, sign);
  };

  /* What goes onto paper was drawn with the page, and says the same as the screen. */
  const print = (site, sign) => {
    const dot = paper.get(site.id);
    if (!dot) return;
    const title = dot.querySelector("title");
    title.textContent = site.said;
    dot.setAttribute("class", sign.querySelector(".dot").getAttribute("class"));
    dot.replaceChildren(title, ...sign.querySelector(".dot").cloneNode(true).childNodes);
    dot.parentNode.setAttribute("aria-label", site.said);
  };

  const outline = (area) => {
    const lies = L.polygon(area.ring, { className: `area area-${area.level}`, interactive: false }).addTo(map);
    const bounds = lies.getBounds();
    const node = document.createElement("b");
    node.className = `place-name of-${area.level}`;
    node.textContent = area.name;
    map.getPane("names").append(node);
    const middle = bounds.getCenter().lng;
    names.push({ node, bounds, above: [bounds.getNorth(), middle], below: [bounds.getSouth(), middle], isTown: area.level === "town" });
  };

  /* A name stands above its outline, else below it. One that would lie on another's, and that of a village that is
     smaller than its name, waits until there is room; towns come first. */
  const spread = () => {
    const taken = [];
    const room = (name, place, below) => {
      const { x, y } = map.latLngToLayerPoint(place);
      const top = below ? y : y - name.tall;
      const box = { left: x - name.wide / 2, right: x + name.wide / 2, top, foot: top + name.tall };
      const free = !taken.some((other) => box.left < other.right && other.left < box.right
        && box.top < other.foot && other.top < box.foot);
      if (free) taken.push(box);
      return free;
    };
    for (const name of names) {
      name.wide ??= name.node.offsetWidth;
      name.tall ??= name.node.offsetHeight;
    }
    for (const name of names) {
      const west = map.latLngToLayerPoint(name.bounds.getNorthWest()).x;
      const east = map.latLngToLayerPoint(name.bounds.getNorthEast()).x;
      const fits = name.isTown || east - west >= 0.6 * name.wide;
      const above = fits && room(name, name.above, false);
      const below = fits && !above && room(name, name.below, true);
      lay(name.node, below ? name.below : name.above);
      name.node.classList.toggle("below", below);
      name.node.classList.toggle("waits", !above && !below);
    }
  };

  const near = () => {
    const view = map.getBounds().pad(0.5);
    for (const { link, place } of sites.values()) link.hidden = !view.contains(place);
  };

  /* Smaller signs where many share little room: a county as a whole is seen by its colours. */
  const size = (bounds) => {
    const { x, y } = map.latLngToLayerPoint(bounds.getSouthEast()).subtract(map.latLngToLayerPoint(bounds.getNorthWest()));
    const room = Math.sqrt((x * y) / Math.max(sites.size, 1));
    frame.style.setProperty("--sign", Math.min(1, Math.max(SMALLEST, room / ROOMY_PX)).toFixed(2));
  };

  const settle = (bounds) => {
    for (const { link, place } of sites.values()) lay(link, place);
    size(bounds);
    spread();
  };

  /* The wheel belongs to the page; with the control key, which is also what two fingers on a pad say, to the map. */
  const share = () => {
    frame.addEventListener("wheel", (event) => {
      map.scrollWheelZoom[event.ctrlKey || event.metaKey ? "enable" : "disable"]();
    }, { capture: true, passive: true });
    let dragged = false;
    map.on("dragstart", () => { dragged = true; });
    frame.addEventListener("pointerdown", () => { dragged = false; }, true);
    frame.addEventListener("click", (event) => { if (dragged && event.target.closest(".site")) event.preventDefault(); }, true);
    frame.addEventListener("focusin", (event) => {
      if (!event.target.matches(".site:focus-visible")) return;  /* who points at it sees it already */
      for (const { link, place } of sites.values()) if (link === event.target) map.panInside(place, { padding: [40, 40] });
    });
  };

  const open = (bounds) => {
    document.body.classList.add("atlas-stands");
    frame.hidden = false;
    map = L.map(frame, {
      attributionControl: false, zoomControl: false, scrollWheelZoom: false, maxZoom: CLOSEST, maxBounds: bounds.pad(1),
      zoomSnap: tiles ? 1 : 0.25,
    });
    for (const [name, height] of [["sites", 600], ["names", 610]]) {
      const pane = map.createPane(name);
      pane.style.zIndex = height;
      pane.classList.add("leaflet-zoom-hide");
    }
    map.fitBounds(bounds, { padding: [24, 24], maxZoom: 16 });
    map.setMinZoom(map.getZoom() - 1);
    L.control.zoom({ zoomInTitle: frame.dataset.closer, zoomOutTitle: frame.dataset.farther }).addTo(map);
    if (tiles) {
      map.getPane("overlayPane").classList.add("grounded");
      L.tileLayer(tiles, { maxZoom: CLOSEST }).addTo(map);
      const said = document.createElement("p");
      said.textContent = credit;
      L.control.attribution({ prefix: false }).addAttribution(said.innerHTML).addTo(map);
    }
    map.on("zoomend viewreset", () => settle(bounds));
    map.on("moveend", near);
    share();
  };

  const begin = (told) => {
    const bounds = L.latLngBounds([...told.outlines.flatMap((area) => area.ring), ...told.sites.map((site) => site.place)]);
    if (!bounds.isValid()) return false;
    open(bounds);
    told.outlines.forEach(outline);
    told.sites.forEach(show);
    settle(bounds);
    return true;
  };

  const take = (told) => {
    if (!map && !begin(told)) return;
    told.sites.forEach(show);
    const there = new Set(told.sites.map((site) => site.id));
    for (const [id, { link }] of sites) if (!there.has(id)) { link.remove(); sites.delete(id); }
  };

  let asked = 0;
  let again = 0;
  const read = async () => {
    const mine = ++asked;
    clearTimeout(again);
    const told = await fetch(frame.dataset.sites, { headers: { Accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : null))
      .catch(() => null);
    if (mine !== asked) return;  /* a later question is under way, and its answer is newer */
    if (!told) {
      cut.hidden = false;
      cut.dataset.waits = "";
      again = setTimeout(read, AGAIN_MS);
      return;
    }
    if ("waits" in cut.dataset) {
      delete cut.dataset.waits;
      cut.hidden = true;
    }
    take(told);
  };

  document.body.addEventListener("desk-cases", read);
  read();
})();
