/* Numbers as text: three significant digits, a sign on returns, a dash for what is not defined. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, moment, percent, short, span, three, whole } from "../../static/js/format.js";

test("three significant digits, without a fourth by rounding", () => {
  assert.deepEqual([1.2345, 12.345, 123.45, 1234.5, 0.9996, 0.012345].map((n) => three(n)), ["1.23", "12.3", "123", "1,235", "1.00", "0.0123"]);
});

test("small numbers have six decimals, and only what is smaller says so", () => {
  assert.deepEqual([8.8e-5, 1e-6, 1e-9, -1e-9].map((n) => three(n)), ["0.000088", "0.000001", "< 0.000001", "> −0.000001"]);
});

test("a day stays a day, seconds become a time in UTC", () => {
  assert.deepEqual([moment("2020-01-02"), moment(1577977200)], ["2020-01-02", "2020-01-02 15:00 UTC"]);
});

test("a sign on returns, a true minus", () => {
  assert.deepEqual([percent(0.0213), percent(-0.0213), percent(0)], ["+2.13", "−2.13", "0"]);
});

test("what is not defined is a dash, never NaN", () => {
  for (const nothing of [null, undefined, NaN, Infinity]) {
    assert.equal(three(nothing), "—");
    assert.equal(whole(nothing), "—");
    assert.equal(span(nothing), "—");
  }
  assert.equal(percent(null), "—");
  assert.equal(span(-1), "—");
});

test("counts and axes", () => {
  assert.equal(whole(1234567.4), "1,234,567");
  assert.deepEqual([950, 12000, 1.2e6, -12000].map(short), ["950", "12k", "1.2M", "−12k"]);
});

test("spans and ages", () => {
  assert.deepEqual([0, 59.4, 61, 3661].map(span), ["0 s", "59 s", "1:01", "1:01:01"]);
  const now = Date.parse("2026-01-02T00:00:00Z");
  assert.deepEqual(["2026-01-01T23:59:50Z", "2026-01-01T23:30:00Z", "2026-01-01T20:00:00Z", "2025-12-30T00:00:00Z", "2025-01-02T00:00:00Z"].map((t) => ago(t, now)),
    ["just now", "30 min ago", "4 h ago", "3 d ago", "2025-01-02"]);
});
