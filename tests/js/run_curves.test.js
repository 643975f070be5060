import assert from "node:assert/strict";
import test from "node:test";

import { lastOfEachStep } from "../../static/js/run_curves.js";

test("of a step that was logged twice the second value stands", () => {
  assert.deepEqual(lastOfEachStep({ step: [1, 2, 2, 3], value: [10, 20, 21, 30] }), [[1, 2, 3], [10, 21, 30]]);
  assert.deepEqual(lastOfEachStep({ step: [], value: [] }), [[], []]);
});
