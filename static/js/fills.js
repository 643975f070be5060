/* Fills on a price chart as marks and words; nothing here knows of a screen. */
import { DASH, moment, percent, whole } from "./format.js";

const WORDS = { buy: "bought", sell: "sold" };

/* one object a row of the answer's columns, those of a point together: Map(point → [{point, side, count, shares, price, money, costs}]) */
export function byPoint(fills) {
  const found = new Map();
  fills.point.forEach((point, row) => {
    const one = Object.fromEntries(Object.entries(fills).map(([name, column]) => [name, column[row]]));
    found.set(point, [...(found.get(point) ?? []), one]);
  });
  return found;
}

/* how many points share a mark, so that marks stand at least `gap` pixels apart */
export function pointsAMark(shown, width, gap = 22) {
  return Math.max(1, Math.ceil((shown * gap) / Math.max(width, gap)));
}

/* Fills of one side within `size` points of the first of them as one mark, which stands on that first one: so that two
   marks of a side never stand closer. Counts sum to those of the fills. `rows` and marks are in the order of the points. */
export function marksOf(rows, size) {
  const marks = [];
  const open = {};
  for (const { point, side, count } of rows) {
    if (!open[side] || point >= open[side].point + size) {
      open[side] = { point, side, count: 0 };
      marks.push(open[side]);
    }
    open[side].count += count;
  }
  return marks;
}

/* the next point with a fill after (`step` 1) or before (−1) a point; null where there is none */
export function nextFill(points, at, step) {
  const beyond = points.filter((point) => (point - at) * step > 0);
  return beyond.length ? (step > 0 ? Math.min(...beyond) : Math.max(...beyond)) : null;
}

/* 4:1 for four new shares for an old one, 1:10 for one new for ten old ones */
export function splitWords(ratio) {
  const round = (number) => String(Number(number.toPrecision(4)));
  return ratio >= 1 ? `${round(ratio)}:1` : `1:${round(1 / ratio)}`;
}

/* a price with the decimals of its size: 1,234.50, 0.01235 */
export function price(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return DASH;
  const size = Math.abs(number);
  return size >= 1 || size === 0 ? money(number) : number.toPrecision(4).replace("-", "−");
}

/* to the cent, thousands apart */
export function money(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return DASH;
  const [head, cents] = Math.abs(number).toFixed(2).split(".");
  return `${number <= -0.005 ? "−" : ""}${head.replace(/\B(?=(\d{3})+$)/g, ",")}.${cents}`;
}

/* shares as a whole number where they are one or many, else with two decimals, of less than one with four */
export function shares(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return DASH;
  if (Number.isInteger(number) || number >= 10_000) return whole(number);
  return number >= 1 ? money(number) : number.toFixed(4);
}

/* times of the points: days, or seconds since 1970 where a day has several bars */
export function timesOf(found) {
  return found.interval === "1d" ? found.session : found.time.map((text) => Date.parse(text) / 1000);
}

/* what a point holds, in words: its day, its prices, the weight, what was bought and sold */
export function pointWords(found, rows, at) {
  const parts = [moment(timesOf(found)[at])];
  if (found.bars_a_point > 1) parts[0] = `${found.bars_a_point} bars to ${parts[0]}`;
  if (found.open && found.high && found.low) {
    parts.push(`open ${price(found.open[at])}, high ${price(found.high[at])}, low ${price(found.low[at])}, close ${price(found.close[at])}`);
  } else parts.push(`close ${price(found.close[at])}`);
  parts.push(`weight ${percent(found.weight[at], {})} %`);
  if (found.split && found.split[at] !== 1 && found.split[at] !== null) parts.push(`split ${splitWords(found.split[at])}`);
  for (const row of rows ?? []) {
    const fills = row.count > 1 ? ` in ${whole(row.count)} fills` : "";
    parts.push(`${WORDS[row.side]} ${shares(row.shares)} at ${price(row.price)}${fills}`);
  }
  return parts.join(" · ");
}

/* what the whole chart shows, in a sentence */
export function chartWords(found) {
  if (found.n_total === 0) return `${found.symbol} has no judged bar on these days.`;
  const count = (side) => found.fills.count.filter((_, row) => found.fills.side[row] === side).reduce((sum, one) => sum + one, 0);
  const kind = { raw: "raw prices", split: "prices adjusted for splits", total_return: "prices of total return" }[found.adjustment];
  const joined = found.bars_a_point > 1 ? `, ${found.bars_a_point} to a point (choose fewer days to see each)` : "";
  const many = (number, word) => `${whole(number)} ${word}${number === 1 ? "" : "s"}`;
  const traded = found.n_fills ? `${many(count("buy"), "purchase")} and ${many(count("sell"), "sale")}` : "never traded on these days";
  return `${found.symbol}, ${kind}: ${many(found.n_total, "bar")}${joined}; ${traded}.`;
}
