/* What every page has: relative times, refreshed fragments, forms that are sent once, the search key. */
import { ago } from "./format.js";

function refreshTimes() {
  for (const node of document.querySelectorAll("time[data-ago]")) node.textContent = ago(node.dateTime);
}
setInterval(refreshTimes, 15000);

/* fragments with data-poll are asked for again while somebody looks */
const polled = new Map(); // when, by id: a fragment may be replaced by its answer
setInterval(() => {
  if (document.hidden || !window.htmx) return;
  for (const node of document.querySelectorAll("[data-poll]")) {
    if (Date.now() - (polled.get(node.id) ?? 0) < Number(node.dataset.poll)) continue;
    if (node.contains(document.activeElement)) continue; // replacing what has the focus would lose it
    polled.set(node.id, Date.now());
    window.htmx.trigger(node, "sb:refresh");
  }
}, 500);

async function refreshQueue() {
  const mark = document.querySelector("[data-queue-url]");
  if (!mark || document.hidden) return;
  try {
    const answer = await fetch(mark.dataset.queueUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { state, words } = await answer.json();
    const label = mark.querySelector(".sb-state");
    label.dataset.state = state;
    label.textContent = words;
    mark.hidden = !words;
  } catch {
    // the mark keeps what it said; the next turn asks again
  }
}
setInterval(refreshQueue, 5000);
document.addEventListener("sb:run-changed", refreshQueue);

function showFault(event) {
  const box = event.target.closest?.("[id]")?.querySelector("[data-htmx-error]");
  if (box) box.hidden = false;
}
document.addEventListener("htmx:responseError", showFault);
document.addEventListener("htmx:sendError", showFault);
document.addEventListener("click", (event) => {
  const retry = event.target.closest("[data-retry]");
  if (retry) window.htmx.trigger(retry.closest("[data-poll]"), "sb:refresh");
});

/* a second click on a sending form would start a second run */
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-once]")) return;
  const button = event.target.querySelector("button[type=submit]");
  setTimeout(() => {
    button.disabled = true;
    if (!button.dataset.busy) return;
    button.dataset.idle = button.textContent;
    button.textContent = button.dataset.busy;
  });
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("[data-once] button[type=submit]")) {
    button.disabled = false;
    button.textContent = button.dataset.idle ?? button.textContent;
  }
});

document.addEventListener("keydown", (event) => {
  const search = document.querySelector("[data-slash]");
  if (event.key !== "/" || !search || event.ctrlKey || event.metaKey || event.target.matches("input, textarea, select")) return;
  event.preventDefault();
  search.focus();
});

document.querySelector("[data-focus]")?.focus();
