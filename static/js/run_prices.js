/* The panel of a run's price chart: what is asked for, the chart, its words, the table of its fills. */
import { chartWords, money, pointWords, price, shares, timesOf } from "./fills.js";
import { moment, percent, three, whole } from "./format.js";
import { PriceChart } from "./price_chart.js";

const MOST_ROWS = 400;
const panel = document.getElementById("run-prices");
const find = (name) => panel.querySelector(`[data-${name}]`);
const fields = Object.fromEntries(["symbol", "start", "end"].map((name) => [name, panel.querySelector(`[name="${name}"]`)]));
let chart = null;
let wanted = "";

function query() {
  const asked = new URLSearchParams({ symbol: fields.symbol.value });
  for (const name of ["start", "end"]) if (fields[name].value) asked.set(name, fields[name].value);
  return String(asked);
}

async function load() {
  const asked = query();
  wanted = asked;
  if (fields.start.value && fields.end.value && fields.start.value > fields.end.value) {
    find("say").textContent = "From must lie on or before To.";
    return;
  }
  find("say").textContent = "Loading prices…";
  try {
    const answer = await fetch(`${panel.dataset.url}?${asked}`, { headers: { Accept: "application/json" } });
    const found = await answer.json();
    if (wanted !== asked) return; // something else was asked for meanwhile
    if (answer.ok) show(found);
    else find("say").textContent = [...Object.values(found.errors ?? {}).flat(), found.detail].find(Boolean);
  } catch (error) {
    if (wanted === asked) find("say").textContent = "The prices could not be loaded. Choose the symbol again, or load this page again.";
    console.error(error);
  }
}

function show(found) {
  chart ??= new PriceChart(find("chart"), tellPoint);
  chart.show(found);
  tellPoint(null);
  find("say").textContent = chartWords(found);
  showProfit(found.profit);
  showTable(found, [...chart.rows.values()].flat());
  panel.dataset.drawn = found.symbol;
}

function tellPoint(at) {
  const { found, rows } = chart;
  const point = at ?? found.session.length - 1;
  find("told").textContent = point < 0 ? "" : pointWords(found, rows.get(point), point);
}

function showProfit(profit) {
  for (const cell of panel.querySelectorAll("[data-profit]")) {
    const value = profit?.[cell.dataset.profit];
    const counts = cell.dataset.profit.startsWith("pnl") && value;
    cell.textContent = three(value, { signed: Boolean(counts) });
    cell.title = value === undefined ? "" : String(value);
    cell.className = counts ? (value > 0 ? "sb-gain" : "sb-loss") : "";
  }
}

function showTable(found, rows) {
  const times = timesOf(found);
  const body = find("rows");
  body.replaceChildren(...rows.slice(0, MOST_ROWS).map((row) => rowOf([moment(times[row.point]), row.side === "buy" ? "Bought" : "Sold",
    whole(row.count), shares(row.shares), price(row.price), money(row.money), money(row.costs), percent(found.weight[row.point], {})])));
  const left = rows.length - MOST_ROWS;
  find("rows-say").textContent = rows.length === 0 ? "No fill on these days."
    : left > 0 ? `The first ${MOST_ROWS} of ${whole(rows.length)}; choose fewer days for the others, or open the CSV file of all orders.` : "";
}

function rowOf(cells) {
  const row = document.createElement("tr");
  cells.forEach((text, place) => {
    const cell = document.createElement(place ? "td" : "th");
    if (!place) cell.scope = "row";
    if (place > 1) cell.className = "n";
    cell.textContent = text;
    row.append(cell);
  });
  return row;
}

for (const button of panel.querySelectorAll("[data-look]")) {
  button.addEventListener("click", () => {
    for (const other of panel.querySelectorAll("[data-look]")) other.setAttribute("aria-pressed", String(other === button));
    chart?.asLine(button.dataset.look === "line");
  });
}
for (const field of Object.values(fields)) field.addEventListener("change", load);

/* large files are read for it: only once somebody comes near it */
new IntersectionObserver((entries, observer) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  observer.disconnect();
  load();
}, { rootMargin: "600px" }).observe(panel);
