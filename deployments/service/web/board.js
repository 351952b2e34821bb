"use strict";
// Keeps the board fresh: the service sends the parts that changed; here they are only put in their places.
const body = document.body, stale = document.getElementById("stale"), said = document.getElementById("said");
const asof = document.getElementById("asof"), silence = document.getElementById("silence");
const QUIET = "This page is not live: nothing was heard from Tidegate";
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
  const silent = (Date.now() - heard) / 1000, live = silent < 12;
  // The alarm is told once; the seconds beside it are for the eye: a screen reader would be interrupted by each.
  if (stale.parentElement.hidden !== live) {
    stale.parentElement.hidden = live;
    stale.textContent = live ? "" : QUIET;
  }
  silence.textContent = live ? "" : " for " + told(silent) + ".";
}

// Where the focus is within the element, as a selector that finds the same place in what replaces it.
function focusIn(element) {
  const focused = document.activeElement;
  if (!focused || !element.contains(focused) || focused === element && !focused.id) return null;
  if (focused.id) return "#" + CSS.escape(focused.id);
  const around = focused.closest("[id]"), own = focused.getAttribute("href");
  return own ? (around && around !== element ? "#" + CSS.escape(around.id) + " " : "") + 'a[href="' + CSS.escape(own) + '"]' : null;
}

function replace(element, html) {
  const place = focusIn(element), template = document.createElement("template");
  template.innerHTML = html.trim();
  const made = template.content.firstElementChild;
  element.replaceWith(made);
  if (place) (made.matches(place) ? made : made.querySelector(place))?.focus({ preventScroll: true });
}

function whole(html) {
  const board = document.getElementById("board"), place = focusIn(board);
  board.innerHTML = html;
  if (place) board.querySelector(place)?.focus({ preventScroll: true });
}

function show(change) {
  const lead = () => document.querySelector("#headline .lead").textContent;
  const before = lead();
  if (change.whole !== undefined) whole(change.whole);
  for (const [id, html] of Object.entries(change.parts || {})) {
    const element = document.getElementById(id);
    if (element) replace(element, html);
  }
  body.dataset.version = change.version;
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

// A browser comes back by itself where a connection breaks off, and never where the answer was another one than a
// stream: a proxy's 502 during a restart, our own 429 or 503, the way to the log-in. Then we ask, less and less often.
const SOONEST = 2, LATEST = 60;
let pause = SOONEST;

function listen() {
  const source = new EventSource("/events?version=" + body.dataset.version);
  source.addEventListener("alive", event => { pause = SOONEST; alive(event); });
  source.addEventListener("board", event => { heard = Date.now(); show(JSON.parse(event.data)); });
  source.addEventListener("over", () => { source.close(); location.reload(); });
  source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) later(); });
}

function later() {
  setTimeout(again, pause * 1000 * (0.5 + Math.random()));
  pause = Math.min(LATEST, pause * 2);
}

async function again() {
  try {
    const answer = await fetch("/here", { redirect: "manual" });
    // Logged out: loaded anew, the page leads to the log-in.
    if (answer.type === "opaqueredirect") return location.reload();
    if (answer.ok) return listen();
  } catch { /* nobody answers yet */ }
  later();
}

listen();
setInterval(tick, 1000);
tick();
