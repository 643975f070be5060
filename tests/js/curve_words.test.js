/* Training curves: a name, a meaning and a unit for whatever the trainer writes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { wordsOf } from "../../static/js/curve_words.js";

/* tags that the trainer's sources write out; those made of parts are named here */
const MADE = ["entropy_loss", "policy_gradient_loss", "value_loss", "approx_kl", "clip_fraction"].map((name) => `train/${name}`)
  .concat(["log_nav", "delta_nav", "diff_sharpe", "benchmark", "drawdown", "turnover", "vol", "leverage", "total"].map((name) => `reward/${name}`))
  .concat(["rollout/ep_rew_mean", "rollout/ep_len_mean", "train/learning_rate", "time/fps", "time/iterations", "time/time_elapsed"]);
const SOURCES = ["learner", "diagnostics", "callbacks"];

function written() {
  const found = new Set();
  for (const name of SOURCES) {
    const text = readFileSync(new URL(`../../rl/${name}.py`, import.meta.url), "utf8");
    for (const [, tag] of text.matchAll(/"((?:train|grads|actions|weights|reward|time|rollout|validation)\/[a-z_]+)"/g)) found.add(tag);
  }
  return [...found].filter((tag) => !tag.endsWith("/hist"));
}

test("every curve that a training writes has a name, a meaning and no dot too many", () => {
  const tags = [...written(), ...MADE];
  assert.ok(tags.length > 25);
  for (const tag of tags) {
    const { name, meaning } = wordsOf(tag);
    assert.notEqual(name, tag, tag);
    assert.match(meaning, /^[A-Z].*[.]$/, tag);
  }
});

test("a tag that nobody described stands as it is", () => {
  assert.deepEqual(wordsOf("mine/own"), { name: "mine/own", meaning: "", unit: "" });
});
