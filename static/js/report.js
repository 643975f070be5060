/* The report: curves of every strategy with a legend that tells values, and definitions one key away. */
import { LineChart } from "./charts.js";
import { moment, percent, three } from "./format.js";

const panel = document.getElementById("charts");
const spaces = { equity: panel.querySelector('[data-chart="equity"]'), drawdown: panel.querySelector('[data-chart="drawdown"]') };
const fault = panel.querySelector("[data-chart-error]");

async function load() {
  fault.hidden = true;
  try {
    const answer = await fetch(panel.dataset.curvesUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    draw(await answer.json());
  } catch (error) {
    fault.hidden = false;
    console.error(error);
  }
}

function draw({ time, series }) {
  const gross = series.filter((one) => one.before_costs).map((one) => (
    { ...one, key: `${one.key}.before_costs`, label: `${one.label} before costs`, subject: false, dotted: true, equity: one.before_costs }));
  const drawn = [...series, ...gross];
  const equity = new LineChart(spaces.equity, time, drawn.map((one) => ({ ...one, values: one.equity })), (value) => three(value));
  const drawdown = new LineChart(spaces.drawdown, time, series.map((one) => ({ ...one, values: one.drawdown })), (value) => percent(value));
  equity.logarithmic(true);
  equity.follow(drawdown);
  drawdown.follow(equity);
  const outputs = legend(drawn, [equity, drawdown]);
  const tell = (index) => {
    const at = index === null || index < 0 || index >= time.length ? time.length - 1 : index;
    panel.querySelector("[data-day]").textContent = moment(time[at]);
    for (const one of drawn) outputs.get(one.key).textContent = three(one.equity[at]);
  };
  tell(null);
  equity.onDay(tell);
  drawdown.onDay(tell);
  scaleButtons(equity);
  drawRolling(time, series, equity);
  panel.dataset.drawn = String(series.length);
}

/* Rolling figures of the subject and the benchmark, on the same days as the equity above. */
function drawRolling(time, series, equity) {
  const rolled = series.filter((one) => one.sharpe);
  if (!rolled.length) return;
  const part = document.getElementById("rolling");
  part.hidden = false;
  const before = rolled[0].volatility.findIndex((value) => value !== null);
  part.querySelector("[data-window]").textContent = `over ${Math.max(before, 0)} bars: ${rolled.map((one) => (one.benchmark ? `${one.label} dashed` : one.label)).join(", ")}`;
  const texts = { sharpe: three, volatility: (value) => percent(value, {}), beta: three };
  for (const [name, text] of Object.entries(texts)) {
    const lines = rolled.map((one) => ({ ...one, values: one[name] }));
    const chart = new LineChart(part.querySelector(`[data-chart="${name}"]`), time, lines, (value) => text(value));
    equity.follow(chart);
    chart.follow(equity);
  }
  part.dataset.drawn = String(rolled.length);
}

function legend(series, charts) {
  const box = panel.querySelector("[data-legend]");
  const outputs = new Map();
  for (const one of series) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.title = "Show or hide";
    const swatch = document.createElement("span");
    swatch.className = "sb-swatch";
    swatch.dataset.series = one.subject || one.dotted ? "1" : String(one.series);
    if (one.dotted) swatch.dataset.dotted = "";
    const value = document.createElement("output");
    button.append(swatch, one.label, value);
    button.addEventListener("click", () => {
      const visible = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(visible));
      for (const chart of charts) chart.show(one.key, visible);
    });
    box.append(button);
    outputs.set(one.key, value);
  }
  return outputs;
}

function scaleButtons(chart) {
  const buttons = panel.querySelectorAll("[data-scale]");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      chart.logarithmic(button.dataset.scale === "log");
    });
  }
}

function define(event) {
  const term = event.target.closest?.(".sb-term");
  if (term) document.querySelector("[data-definition]").textContent = term.dataset.text;
}
document.addEventListener("focusin", define);
document.addEventListener("mouseover", define);
document.addEventListener("click", define);

panel.querySelector("[data-chart-retry]").addEventListener("click", load);
load();
