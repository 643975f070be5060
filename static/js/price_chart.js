/* The price of one symbol with the run's fills on it, and a lane below with the weight held. */
import { colour, frame } from "./charts.js";
import { byPoint, marksOf, nextFill, pointsAMark, splitWords, timesOf } from "./fills.js";
import { percent } from "./format.js";

const LANE = 0.28; // height of the lane to that of the prices
const ROOM = 8; // pixels before the first bar and after the last

export class PriceChart {
  /* `onPoint(at)` hears the point under the pointer or chosen by key, null when there is none */
  constructor(space, onPoint) {
    Object.assign(this, { space, onPoint, found: null, at: null, drawn: [], line: false });
    this.chart = globalThis.LightweightCharts.createChart(space, { ...look(), autoSize: true,
      handleScroll: { vertTouchDrag: false }, handleScale: { mouseWheel: false } });
    this.chart.subscribeCrosshairMove(({ logical, sourceEvent }) => { if (sourceEvent) this.choose(logical ?? null); });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.mark());
    space.addEventListener("keydown", (event) => this.press(event));
    this.chart.timeScale().subscribeSizeChange(() => { if (this.found) this.fit(); });
    document.addEventListener("sb:theme", () => { this.chart.applyOptions(look()); if (this.found) this.redraw(); });
  }

  show(found) {
    this.found = found;
    this.at = null;
    this.rows = byPoint(found.fills);
    this.times = timesOf(found);
    this.chart.applyOptions({ timeScale: { timeVisible: found.interval !== "1d" } });
    this.redraw();
    this.fit();
  }

  /* the whole range, with room at both ends for a mark on the first or the last bar */
  fit() {
    const count = this.times.length;
    if (!count) return;
    const room = (count * ROOM) / Math.max(this.space.clientWidth, 1);
    this.chart.timeScale().setVisibleLogicalRange({ from: -0.5 - room, to: count - 0.5 + room });
    this.mark();
  }

  get candles() {
    return Boolean(this.found?.open && this.found.high && this.found.low) && !this.line;
  }

  asLine(line) {
    this.line = line;
    if (this.found) this.redraw();
  }

  redraw() {
    const { found } = this;
    for (const series of this.drawn) this.chart.removeSeries(series);
    this.drawn = [];
    if (this.candles) this.price = this.addCandles(found);
    else this.price = this.addCloses(found);
    this.marks = globalThis.LightweightCharts.createSeriesMarkers(this.price, []);
    this.addWeights(found);
    const panes = this.chart.panes();
    panes[0].setStretchFactor(1);
    panes[1]?.setStretchFactor(LANE);
    this.mark();
  }

  add(kind, options, data, pane = 0) {
    const series = this.chart.addSeries(globalThis.LightweightCharts[kind], { priceLineVisible: false, lastValueVisible: false, ...options }, pane);
    series.setData(data);
    this.drawn.push(series);
    return series;
  }

  values(column) {
    return this.times.map((time, at) => (column[at] === null ? { time } : { time, value: column[at] }));
  }

  addCandles({ open, high, low, close }) {
    const [gain, loss] = [colour("--sb-gain"), colour("--sb-loss")];
    const whole = (at) => [open, high, low, close].every((column) => column[at] !== null);
    return this.add("CandlestickSeries",
      { upColor: colour("--sb-surface"), borderUpColor: gain, wickUpColor: gain, downColor: loss, borderDownColor: loss, wickDownColor: loss, priceFormat: priceFormat(close) },
      this.times.map((time, at) => (whole(at) ? { time, open: open[at], high: high[at], low: low[at], close: close[at] } : { time })));
  }

  /* closes; where bars are joined their lowest and highest close as thin lines too, so that no extreme is lost */
  addCloses({ close, close_low: low, close_high: high, bars_a_point: joined }) {
    const priceFormatOf = { priceFormat: priceFormat(close) };
    if (joined > 1) {
      for (const column of [low, high]) {
        this.add("LineSeries", { color: colour("--sb-line-strong"), lineWidth: 1, crosshairMarkerVisible: false, ...priceFormatOf }, this.values(column));
      }
    }
    return this.add("LineSeries", { color: colour("--sb-text"), lineWidth: 1, crosshairMarkerRadius: 3, ...priceFormatOf }, this.values(close));
  }

  addWeights({ weight }) {
    const [accent, soft] = [colour("--sb-accent"), colour("--sb-accent-soft")];
    this.add("BaselineSeries", { baseValue: { type: "price", price: 0 }, lineWidth: 1, lineType: globalThis.LightweightCharts.LineType.WithSteps,
      topLineColor: accent, bottomLineColor: accent, topFillColor1: soft, topFillColor2: soft, bottomFillColor1: soft, bottomFillColor2: soft,
      crosshairMarkerRadius: 2, priceFormat: { type: "custom", minMove: 0.0001, formatter: (value) => `${percent(value, {})} %` },
      autoscaleInfoProvider: withZero }, this.values(weight), 1);
  }

  /* arrows where it traded, as many as fit beside each other; a number says how many fills an arrow joins */
  mark() {
    if (!this.marks || !this.found) return;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const shown = range ? range.to - range.from : this.times.length;
    const size = pointsAMark(shown, this.chart.timeScale().width() || this.space.clientWidth);
    const found = marksOf([...this.rows.values()].flat(), size);
    this.marks.setMarkers([...this.splitMarks(), ...found.map((one) => this.arrow(one))].sort((a, b) => a.at - b.at));
    this.space.dataset.marks = String(found.length);
    this.space.dataset.fills = String(found.reduce((sum, one) => sum + one.count, 0));
  }

  arrow({ side, point, count }) {
    const buys = side === "buy";
    return { at: point, time: this.times[point], position: buys ? "belowBar" : "aboveBar", shape: buys ? "arrowUp" : "arrowDown",
      color: buys ? colour("--sb-accent") : colour("--sb-text"), text: count > 1 ? String(count) : "" };
  }

  splitMarks() {
    const splits = (this.found.split ?? []).map((ratio, at) => ({ ratio, at })).filter(({ ratio }) => ratio !== null && ratio !== 1);
    return splits.map(({ ratio, at }) => ({ at, time: this.times[at], position: "aboveBar", shape: "square", size: 0.5,
      color: colour("--sb-muted"), text: `split ${splitWords(ratio)}` }));
  }

  choose(at) {
    this.at = at === null || at < 0 || at >= this.times.length ? null : at;
    this.onPoint(this.at);
  }

  /* arrow keys go point by point, Page Up and Page Down from fill to fill, Home and End to the ends */
  press(event) {
    if (!this.found || !this.times.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.times.length - 1;
    const here = this.at ?? last;
    const fill = (step) => nextFill([...this.rows.keys()], this.at ?? (step > 0 ? -1 : last + 1), step) ?? here;
    const goes = { ArrowLeft: () => Math.max(0, here - 1), ArrowRight: () => Math.min(last, here + 1),
      Home: () => 0, End: () => last, PageUp: () => fill(-1), PageDown: () => fill(1) };
    if (!(event.key in goes)) return;
    event.preventDefault();
    const at = goes[event.key]();
    const value = this.found.close[at] ?? 0;
    this.chart.setCrosshairPosition(value, this.times[at], this.price);
    this.choose(at);
  }
}

function look() {
  const found = frame();
  return { ...found, timeScale: { borderColor: colour("--sb-line"), minBarSpacing: 0.02 }, layout: { ...found.layout, panes: { separatorColor: colour("--sb-line"), separatorHoverColor: colour("--sb-line"), enableResize: false } } };
}

/* cents, or as many decimals as a price below one needs; the axis has room below the lowest price, where none is 0 */
function priceFormat(closes) {
  const least = closes.reduce((low, one) => (one !== null && one > 0 ? Math.min(low, one) : low), Infinity);
  const precision = least >= 1 || least === Infinity ? 2 : Math.min(8, 3 - Math.floor(Math.log10(least)));
  return { type: "custom", minMove: 10 ** -precision, formatter: (price) => (price < 0 ? "" : price.toFixed(precision)) };
}

/* a lane without its zero would make a constant weight look like nothing */
function withZero(original) {
  const found = original();
  if (!found?.priceRange) return found;
  const { minValue, maxValue } = found.priceRange;
  return { ...found, priceRange: { minValue: Math.min(0, minValue), maxValue: Math.max(0, maxValue, minValue + 1e-4) } };
}
