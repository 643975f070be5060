/* Equity and drawdown by lightweight-charts, in the colours of the theme. */

const css = () => getComputedStyle(document.documentElement);
export const colour = (name) => css().getPropertyValue(name).trim();

export function seriesColour(number) {
  return colour(`--sb-series-${number}`) || colour("--sb-muted");
}

export function frame() {
  const line = { color: colour("--sb-grid") };
  return {
    layout: { background: { type: "solid", color: colour("--sb-surface") }, textColor: colour("--sb-muted"),
      fontFamily: css().getPropertyValue("--sb-font"), fontSize: 11, attributionLogo: false },
    grid: { vertLines: line, horzLines: line },
    rightPriceScale: { borderColor: colour("--sb-line"), minimumWidth: 64 },
    timeScale: { borderColor: colour("--sb-line"), timeVisible: true, fixLeftEdge: true, fixRightEdge: true },
    crosshair: { vertLine: { labelBackgroundColor: colour("--sb-line-strong") }, horzLine: { labelBackgroundColor: colour("--sb-line-strong") } },
  };
}

export class LineChart {
  /* `lines`: [{key, series, subject, benchmark, dotted, values}], one value a bar of `time`: days, or seconds since 1970 */
  constructor(space, time, lines, format) {
    const { createChart, LineSeries, PriceScaleMode } = globalThis.LightweightCharts;
    this.modes = PriceScaleMode;
    this.chart = createChart(space, { ...frame(), autoSize: true, localization: { priceFormatter: format },
      handleScroll: { vertTouchDrag: false }, handleScale: { mouseWheel: false } });
    this.lines = new Map();
    for (const line of [...lines].sort((a, b) => Number(a.subject) - Number(b.subject))) {
      const drawn = this.chart.addSeries(LineSeries, this.look(line));
      drawn.setData(time.map((day, index) => (line.values[index] === null ? { time: day } : { time: day, value: line.values[index] })));
      this.lines.set(line.key, { drawn, line });
    }
    this.chart.timeScale().fitContent();
    this.chart.timeScale().subscribeSizeChange(() => this.chart.timeScale().fitContent()); // else a narrower window cuts days off
    document.addEventListener("sb:theme", () => this.recolour());
  }

  look(line) {
    const { Dashed, Dotted } = globalThis.LightweightCharts.LineStyle;
    return { color: line.subject || line.dotted ? colour("--sb-accent") : seriesColour(line.series), lineWidth: line.subject ? 3 : 1,
      lineStyle: line.dotted ? Dotted : line.benchmark ? Dashed : 0, priceLineVisible: false, lastValueVisible: false, crosshairMarkerRadius: 3 };
  }

  recolour() {
    this.chart.applyOptions(frame());
    for (const { drawn, line } of this.lines.values()) drawn.applyOptions(this.look(line));
  }

  logarithmic(on) {
    this.chart.priceScale("right").applyOptions({ mode: on ? this.modes.Logarithmic : this.modes.Normal });
  }

  show(key, visible) {
    this.lines.get(key)?.drawn.applyOptions({ visible });
  }

  follow(other) {
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range) other.chart.timeScale().setVisibleLogicalRange(range);
    });
  }

  onDay(listener) {
    this.chart.subscribeCrosshairMove(({ logical }) => listener(logical ?? null));
  }
}
