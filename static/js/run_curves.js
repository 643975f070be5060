/* Training curves: one small plot a scalar, drawn by uPlot in the colours of the theme. */
import { wordsOf } from "./curve_words.js";
import { short, three } from "./format.js";

const HEIGHT = 150;
const MOST = 40;
/* one curve a layer is a table, not a picture; the numbers are in the event file */
const LAYERS = "grads/by_layer/";
/* what a person looks at first; the other scalars follow in their own order */
const FIRST = ["validation/score", "rollout/ep_rew_mean", "train/loss", "train/value_loss", "train/approx_kl",
  "train/entropy_loss", "train/explained_variance", "train/std"];
/* what rarely moves comes last */
const LAST = ["grads/norm_max", "time/peak_mb", "rollout/ep_len_mean", "train/learning_rate", "train/clip_range", "train/n_updates", "time/fps"];

export class Curves {
  constructor({ api, box, note }) {
    Object.assign(this, { api, box, note });
    this.plots = new Map();
    this.busy = false;
    new ResizeObserver(() => this.resize()).observe(box);
    document.addEventListener("sb:theme", () => this.recolour());
  }

  async refresh() {
    if (this.busy || !globalThis.uPlot) return;
    this.busy = true;
    try {
      const tags = await this.ask("tags");
      const names = order(tags.scalars.map((scalar) => scalar.tag));
      if (names.length === 0) return;
      const batch = await this.ask(`scalars-batch?${names.map((name) => `tag=${encodeURIComponent(name)}`).join("&")}`);
      this.draw(names, batch.series);
      this.note.textContent = "";
    } catch {
      this.note.textContent = this.plots.size ? "not updating; trying again" : "";
    } finally {
      this.busy = false;
    }
  }

  async ask(what) {
    const answer = await fetch(`${this.api}/tb/${what}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  draw(names, series) {
    this.box.querySelector("[data-curves-empty]")?.remove();
    for (const name of names) {
      const one = series[name];
      if (!one || one.step.length === 0) continue;
      const plot = this.plots.get(name) ?? this.make(name);
      plot.data = lastOfEachStep(one);
      plot.chart.setData(plot.data);
      plot.last.textContent = three(one.value.at(-1));
    }
  }

  make(name) {
    const figure = document.createElement("figure");
    figure.className = "sb-curve m-0";
    const words = wordsOf(name);
    const title = document.createElement("h3");
    title.textContent = words.name;
    title.title = name;
    const last = document.createElement("span");
    const unit = document.createElement("span");
    unit.textContent = words.unit;
    title.append(last, unit);
    const meaning = document.createElement("p");
    meaning.textContent = words.meaning;
    const space = document.createElement("div");
    space.className = "sb-curve-plot";
    space.setAttribute("role", "img");
    space.setAttribute("aria-label", `${words.name} over training steps; the numbers are in the CSV table`);
    figure.append(title, meaning, space);
    figure.dataset.rank = String(rank(name));
    const later = [...this.box.querySelectorAll("figure")].find((other) => Number(other.dataset.rank) > rank(name));
    this.box.insertBefore(figure, later ?? null);
    const plot = { space, last, data: [[], []] };
    plot.chart = new globalThis.uPlot(options(space.clientWidth), plot.data, space);
    this.plots.set(name, plot);
    return plot;
  }

  resize() {
    for (const { chart, space } of this.plots.values()) {
      if (space.clientWidth && space.clientWidth !== chart.width) chart.setSize({ width: space.clientWidth, height: HEIGHT });
    }
  }

  recolour() {
    for (const plot of this.plots.values()) {
      plot.chart.destroy();
      plot.chart = new globalThis.uPlot(options(plot.space.clientWidth), plot.data, plot.space);
    }
  }
}

function options(width) {
  const css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(name).trim();
  const axis = { stroke: colour("--sb-muted"), font: `11px ${css.getPropertyValue("--sb-font")}`,
    grid: { stroke: colour("--sb-grid"), width: 1 }, ticks: { show: false } };
  return {
    width: Math.max(width, 100),
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: false } },
    series: [{}, { stroke: colour("--sb-accent"), width: 1.5, points: { show: (chart, index) => chart.data[index].length < 3 } }],
    axes: [
      { ...axis, size: 26, values: (_, ticks) => ticks.map(short) },
      { ...axis, size: 56, values: (_chart, ticks, _axis, _space, step) => ticks.map((tick) => onAxis(tick, step)) },
    ],
  };
}

/* as many decimals as the step between two ticks has */
export function onAxis(tick, step) {
  if (Math.abs(tick) >= 1e4) return short(tick);
  const text = String(Number(step.toPrecision(4)));
  if (text.includes("e")) return tick === 0 ? "0" : tick.toExponential(1).replaceAll("-", "−");
  return tick.toFixed((text.split(".")[1] ?? "").length).replace("-", "−");
}

function rank(name) {
  if (FIRST.includes(name)) return FIRST.indexOf(name);
  return LAST.includes(name) ? 100 + LAST.indexOf(name) : FIRST.length;
}

function order(names) {
  const curves = names.filter((name) => !name.startsWith(LAYERS));
  return curves.sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
}

/* a logger may write a step twice; the second one stands, or the curve would end in a vertical line */
export function lastOfEachStep({ step, value }) {
  const kept = step.map((_, index) => index).filter((index) => step[index] !== step[index + 1]);
  return [kept.map((index) => step[index]), kept.map((index) => value[index])];
}
