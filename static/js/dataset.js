/* The prices of one symbol at a time. */
import { LineChart } from "./charts.js";
import { three, whole } from "./format.js";

const panel = document.getElementById("prices");
const space = panel.querySelector("[data-chart]");
const say = panel.querySelector("[data-say]");
const symbol = document.getElementById("symbol");
let chart = null;
let wanted = "";

function times(found) {
  return found.interval === "1d" ? found.session : found.time.map((moment) => Date.parse(moment) / 1000);
}

function draw(found) {
  const values = found.close.map((value) => value ?? undefined);
  if (chart) chart.lines.get("close").drawn.setData(times(found).map((time, index) => ({ time, value: values[index] })));
  else chart = new LineChart(space, times(found), [{ key: "close", series: 1, subject: true, benchmark: false, values }], (price) => three(price));
  chart.chart.timeScale().fitContent();
}

function words(found) {
  const held = found.close.filter((value) => value !== null).length;
  if (held === 0) return `${found.symbol} has no close.`;
  const joined = found.bars_a_point > 1 ? `, ${found.bars_a_point} to a point` : "";
  return `Closes of ${found.symbol}: ${whole(found.n_total)} bars${joined}.`;
}

async function load() {
  const name = symbol.value;
  wanted = name;
  say.textContent = "Loading prices…";
  try {
    const answer = await fetch(`${panel.dataset.url}?symbol=${encodeURIComponent(name)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const found = await answer.json();
    if (wanted !== name) return; // another symbol was chosen meanwhile
    draw(found);
    say.textContent = words(found);
    panel.dataset.drawn = name;
  } catch {
    if (wanted === name) say.textContent = "The prices could not be loaded. Choose the symbol again, or load this page again.";
  }
}

symbol.addEventListener("change", load);
load();
