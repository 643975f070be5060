/* The run's page: the newest snapshot on the screen, log and curves while it works, the outcome when it ends. */
import { span, whole } from "./format.js";
import { Curves } from "./run_curves.js";
import { LogTail } from "./run_log.js";
import { RunNews, TERMINAL } from "./socket.js";

const WORDS = { QUEUED: "Queued", STARTING: "Queued", RUNNING: "Running", SUCCEEDED: "Succeeded", FAILED: "Failed",
  CANCELLED: "Cancelled", INTERRUPTED: "Interrupted" };
const LINKS = { live: "", polling: "asking every 1.5 s", lost: "no connection; trying again", closed: "",
  gone: "not followed any more; log in again" };

const page = document.getElementById("run");
const api = page.dataset.api;
const find = (name) => page.querySelector(`[data-live="${name}"]`);
let seen = Number(page.dataset.seq);
let since = find("elapsed").dataset.since;

const log = new LogTail({ api, box: page.querySelector("[data-log]"), follow: page.querySelector("[data-follow]") });
const box = page.querySelector("[data-curves]");
const curves = box && new Curves({ api, box, note: page.querySelector("[data-curves-note]") });

function show(payload) {
  showState(payload);
  showPhase(payload.phase);
  showProgress(payload);
  if (payload.seq !== seen || TERMINAL.has(payload.state)) {
    refreshParts();
    document.dispatchEvent(new CustomEvent("sb:run-changed"));
  }
  seen = payload.seq;
  page.dataset.state = payload.state;
}

function showState({ state, cancel_requested: wish }) {
  const mark = page.querySelector(".sb-state");
  const shown = state === "STARTING" ? "QUEUED" : state;
  const stopping = Boolean(wish) && !TERMINAL.has(state);
  mark.dataset.state = shown;
  const word = stopping ? "Stopping" : WORDS[state];
  if (mark.textContent !== word) mark.textContent = word;
  const cancel = page.querySelector("[data-cancel]");
  cancel.hidden = TERMINAL.has(state);
  if (stopping) {
    const button = cancel.querySelector("button");
    button.disabled = true;
    button.textContent = "Stopping";
  }
  page.querySelector("[data-progress]").hidden = TERMINAL.has(state);
}

function showPhase(phase) {
  let passed = page.querySelector(`[data-phase="${CSS.escape(phase ?? "")}"]`) !== null;
  for (const step of page.querySelectorAll("[data-phase]")) {
    const now = step.dataset.phase === phase;
    if (now) passed = false;
    step.dataset.mark = now ? "now" : passed ? "done" : "";
    step.toggleAttribute("aria-current", now);
    if (now) step.setAttribute("aria-current", "step");
  }
}

function showProgress({ progress, queue_position: place, state, started, updated }) {
  const { step = null, total = null, rate = null, eta_s: eta = null } = progress ?? {};
  const bar = find("bar");
  bar.max = total || 1;
  bar.value = total ? step : 0;
  find("step").textContent = whole(step);
  find("total").textContent = whole(total);
  find("rate").textContent = whole(rate);
  find("eta").textContent = span(eta);
  const waits = place !== null && place !== undefined;
  page.querySelector("[data-queue]").hidden = !waits;
  if (waits) find("queue").textContent = String(place);
  if (started) since = started; // polling tells it; the first news of a running run comes when it starts
  else if (state === "RUNNING") since ||= updated;
}

function showElapsed() {
  const running = page.dataset.state === "RUNNING" && since;
  find("elapsed").textContent = running ? span((Date.now() - Date.parse(since)) / 1000) : "—";
}

function refreshParts() {
  for (const part of page.querySelectorAll("[data-refresh]")) window.htmx?.trigger(part, "sb:refresh");
}

function showLink(link) {
  const note = page.querySelector("[data-link]");
  note.textContent = LINKS[link];
  note.hidden = !LINKS[link];
  page.dataset.link = link;
  if (link === "gone") stop();
  if (link === "closed") finish();
}

function stop() {
  for (const timer of timers) clearInterval(timer);
}

function finish() {
  stop();
  log.refresh();
  curves?.refresh();
  setTimeout(() => { log.refresh(); curves?.refresh(); }, 1500); // an answer under way may tell of before the end
}

function tick() {
  if (!document.hidden) {
    log.refresh();
    curves?.refresh();
  }
}

const timers = [];
log.refresh();
curves?.refresh();
if (!TERMINAL.has(page.dataset.state)) {
  timers.push(setInterval(tick, 2000), setInterval(showElapsed, 1000));
  showElapsed();
  new RunNews({ api, onNews: show, onLink: showLink }).start();
}
