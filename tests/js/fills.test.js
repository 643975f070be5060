/* Fills of a price chart: joined to marks that keep every one of them, and told in words. */
import assert from "node:assert/strict";
import test from "node:test";

import { byPoint, chartWords, marksOf, money, nextFill, pointsAMark, pointWords, price, shares, splitWords } from "../../static/js/fills.js";

const FILLS = { point: [0, 1, 1, 5], side: ["buy", "buy", "sell", "sell"], count: [1, 2, 1, 3], shares: [10, 2, 1, 12],
  price: [102, 53, 54, 55], money: [1020, 106, 54, 660], costs: [1, 0.5, 0.1, 0.25] };
const FOUND = { symbol: "A", interval: "1d", adjustment: "raw", n_total: 6, bars_a_point: 1, n_fills: 7, fills: FILLS,
  session: ["2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12"],
  time: ["2024-03-05T21:00:00Z", "2024-03-06T21:00:00Z"], close: [102, 53, 54, 55, 56, null], weight: [0.102, 0.1, 0.1, 0.1, 0.1, 0],
  split: [1, 2, 1, 1, 1, 1] };
const ROWS = byPoint(FILLS);

test("rows of a point stand together", () => {
  assert.deepEqual([...ROWS.keys()], [0, 1, 5]);
  assert.deepEqual(ROWS.get(1).map(({ side, count }) => [side, count]), [["buy", 2], ["sell", 1]]);
});

test("marks keep every fill, whatever they join", () => {
  const rows = [...ROWS.values()].flat();
  for (const size of [1, 2, 3, 100]) {
    const marks = marksOf(rows, size);
    assert.equal(marks.reduce((sum, one) => sum + one.count, 0), 7, `of ${size} points`);
    assert.deepEqual(marks, [...marks].sort((a, b) => a.point - b.point));
  }
  assert.equal(marksOf(rows, 1).length, 4);
});

test("marks of a side stand apart, on the first fill of those that they join", () => {
  assert.deepEqual(marksOf([...ROWS.values()].flat(), 5),
    [{ point: 0, side: "buy", count: 3 }, { point: 1, side: "sell", count: 4 }]);
  const daily = Array.from({ length: 100 }, (_, point) => ({ point, side: "buy", count: 1 }));
  assert.deepEqual(marksOf(daily, 30).map(({ point, count }) => [point, count]), [[0, 30], [30, 30], [60, 30], [90, 10]]);
});

test("marks stand as far apart as the room allows", () => {
  assert.deepEqual([pointsAMark(50, 1300), pointsAMark(2000, 1300), pointsAMark(2000, 260), pointsAMark(10, 0)], [1, 34, 170, 10]);
});

test("the next fill in either direction, none beyond the last", () => {
  const points = [0, 1, 5];
  assert.deepEqual([nextFill(points, -1, 1), nextFill(points, 1, 1), nextFill(points, 5, 1)], [0, 5, null]);
  assert.deepEqual([nextFill(points, 6, -1), nextFill(points, 5, -1), nextFill(points, 0, -1)], [5, 1, null]);
});

test("a split in new shares for an old one", () => {
  assert.deepEqual([4, 1.5, 0.1].map(splitWords), ["4:1", "1.5:1", "1:10"]);
});

test("prices, money and shares have the digits of their size", () => {
  assert.deepEqual([1234.5, 0.012345, 0, null, NaN].map(price), ["1,234.50", "0.01235", "0.00", "—", "—"]);
  assert.deepEqual([1020, -0.001, -12.345, undefined].map(money), ["1,020.00", "0.00", "−12.35", "—"]);
  assert.deepEqual([10, 12.3456, 0.12345, 123456.7, null].map(shares), ["10", "12.35", "0.1235", "123,457", "—"]);
});

test("a point in words: day, price, weight, split, and what was traded", () => {
  assert.equal(pointWords(FOUND, ROWS.get(1), 1), "2024-03-06 · close 53.00 · weight 10.0 % · split 2:1 · bought 2 at 53.00 in 2 fills · sold 1 at 54.00");
  assert.equal(pointWords(FOUND, undefined, 5), "2024-03-12 · close — · weight 0 %");
});

test("joined bars and bars of an hour say what they are", () => {
  const joined = { ...FOUND, bars_a_point: 3, interval: "1h", open: [101], high: [103], low: [100] };
  assert.match(pointWords(joined, ROWS.get(0), 0), /^3 bars to 2024-03-05 21:00 UTC · open 101.00, high 103.00, low 100.00, close 102.00/);
  assert.match(chartWords(joined), /^A, raw prices: 6 bars, 3 to a point \(choose fewer days to see each\); 3 purchases and 4 sales\.$/);
});

test("one of a kind is no plural", () => {
  const one = { ...FOUND, n_total: 1, fills: { ...FOUND.fills, side: ["buy"], count: [1] } };
  assert.match(chartWords(one), /: 1 bar; 1 purchase and 0 sales\.$/);
});

test("a chart without bars or fills says so", () => {
  assert.equal(chartWords({ ...FOUND, n_total: 0 }), "A has no judged bar on these days.");
  const none = Object.fromEntries(Object.keys(FILLS).map((name) => [name, []]));
  assert.equal(chartWords({ ...FOUND, n_fills: 0, fills: none }), "A, raw prices: 6 bars; never traded on these days.");
});
