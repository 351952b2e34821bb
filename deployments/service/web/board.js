"use strict";
// Keeps the board fresh: the service sends the parts that changed; here they are only put in their places.
const body = document.body, stale = document.getElementById("stale"), said = document.getElementById("said");
const asof = document.getElementById("asof");
let offset = Date.now() / 1000 - Number(body.dataset.now), heard = Date.now();

function told(seconds) {
  if (seconds < 60) return Math.max(0, Math.floor(seconds)) + " s";
  const minutes = Math.floor(seconds / 60), rest = Math.floor(seconds % 60);
  if (minutes < 60) return minutes + " min " + rest + " s";
  return Math.floor(minutes / 60) + " h " + minutes % 60 + " min";
}

function tick() {
  const now = Date.now() / 1000 - offset;
  for (const time of document.querySelectorAll("time.ticks")) time.textContent = told(now - Number(time.dataset.since));
  for (const bar of document.querySelectorAll("progress[data-since]")) bar.value = Math.min(bar.max, Math.max(0, now - Number(bar.dataset.since)));
  const silent = (Date.now() - heard) / 1000;
  stale.hidden = silent < 12;
  if (!stale.hidden) stale.textContent = "This page is not live: nothing was heard from Tidegate for " + told(silent) + ".";
}

function replace(element, html) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && (focused.id ? "#" + CSS.escape(focused.id) : focused.href ? 'a[href="' + CSS.escape(focused.getAttribute("href")) + '"]' : null);
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const made = template.content.firstElementChild;
  element.replaceWith(made);
  if (place) (made.matches(place) ? made : made.querySelector(place))?.focus({ preventScroll: true });
}

function show(change) {
  const lead = () => document.querySelector("#headline .lead").textContent;
  const before = lead();
  if (change.whole !== undefined) document.getElementById("board").innerHTML = change.whole;
  for (const [id, html] of Object.entries(change.parts || {})) {
    const element = document.getElementById(id);
    if (element) replace(element, html);
  }
  document.title = change.title;
  if (lead() !== before) said.textContent = lead();
  tick();
}

function alive(event) {
  const now = JSON.parse(event.data);
  heard = Date.now();
  offset = heard / 1000 - now.at;
  asof.textContent = "As of " + now.told + ".";
}

const source = new EventSource("/events?version=" + body.dataset.version);
source.addEventListener("alive", alive);
source.addEventListener("board", event => { heard = Date.now(); show(JSON.parse(event.data)); });
source.addEventListener("over", () => { source.close(); location.reload(); });
setInterval(tick, 1000);
tick();
