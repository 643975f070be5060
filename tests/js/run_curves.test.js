/* Training curves: points and the labels of their axes. */
import assert from "node:assert/strict";
import test from "node:test";

import { lastOfEachStep, onAxis } from "../../static/js/run_curves.js";

test("of a step that was logged twice the second value stands", () => {
  assert.deepEqual(lastOfEachStep({ step: [1, 2, 2, 3], value: [10, 20, 21, 30] }), [[1, 2, 3], [10, 21, 30]]);
  assert.deepEqual(lastOfEachStep({ step: [], value: [] }), [[], []]);
});

test("labels have the decimals that tell two ticks apart", () => {
  assert.deepEqual([-0.0025, -0.005, 0].map((tick) => onAxis(tick, 0.0025)), ["−0.0025", "−0.0050", "0.0000"]);
  assert.deepEqual([0, 50, 100].map((tick) => onAxis(tick, 50)), ["0", "50", "100"]);
  assert.deepEqual([0, 2.5e-8].map((tick) => onAxis(tick, 2.5e-8)), ["0", "2.5e−8"]);
  assert.equal(onAxis(25000, 5000), "25k");
});
