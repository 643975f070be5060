/* The news of a run: snapshots in order, polling while there is no socket, an end after the end. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { RunNews } from "../../static/js/socket.js";

globalThis.location = { protocol: "https:", host: "host" };

class FakeSocket {
  static all = [];
  constructor(address) {
    this.address = address;
    this.closed = false;
    FakeSocket.all.push(this);
  }
  close() {
    this.closed = true;
  }
  say(payload) {
    this.onmessage({ data: JSON.stringify(payload) });
  }
}

/* Timers that run when the test says so. */
class Clock {
  constructor() {
    this.waiting = [];
    this.polls = new Map();
  }
  setTimeout(callback, wait) {
    this.waiting.push([wait, callback]);
  }
  setInterval(callback) {
    this.polls.set(this.polls.size + 1, callback);
    return this.polls.size;
  }
  clearInterval(id) {
    this.polls.delete(id);
  }
  runNext() {
    const [wait, callback] = this.waiting.shift();
    callback();
    return wait;
  }
}

let clock, heard, links, answers;

function follow() {
  const fetchJson = async () => {
    if (!answers.length) throw new Error("503");
    return answers.shift();
  };
  return new RunNews({ api: "/api/runs/1", onNews: (n) => heard.push(n.seq), onLink: (l) => links.push(l), WebSocketClass: FakeSocket, fetchJson, timers: clock }).start();
}

const snapshot = (seq, state = "RUNNING", updated = "") => ({ seq, state, updated });
const settled = () => new Promise((done) => setImmediate(done));

beforeEach(() => {
  FakeSocket.all = [];
  [clock, heard, links, answers] = [new Clock(), [], [], []];
});

test("the socket of the same host, over TLS when the page is", () => {
  follow();
  assert.equal(FakeSocket.all[0].address, "wss://host/api/runs/1/ws");
});

test("an older snapshot is dropped, a newer one of the same seq is not", () => {
  follow();
  const [socket] = FakeSocket.all;
  socket.say(snapshot(3, "RUNNING", "b"));
  socket.say(snapshot(2));
  socket.say(snapshot(3, "RUNNING", "a"));
  socket.say(snapshot(3, "RUNNING", "c"));
  assert.deepEqual(heard, [3, 3]);
});

test("after the terminal snapshot the socket is closed and nothing is asked again", () => {
  follow();
  const [socket] = FakeSocket.all;
  socket.say(snapshot(9, "SUCCEEDED"));
  socket.onclose({ code: 1000 });
  assert.ok(socket.closed);
  assert.deepEqual([clock.polls.size, clock.waiting.length, links.at(-1)], [0, 0, "closed"]);
});

test("a lost socket is replaced by polling, and polling by the next socket", async () => {
  follow();
  answers = [snapshot(4)];
  FakeSocket.all[0].onclose({ code: 1006 });
  await settled();
  assert.deepEqual([heard, links, clock.polls.size], [[4], ["polling"], 1]);
  clock.runNext();
  FakeSocket.all[1].say(snapshot(5));
  assert.deepEqual([heard, links, clock.polls.size], [[4, 5], ["polling", "live"], 0]);
});

test("it waits longer after each failure and says when nothing answers", async () => {
  follow();
  const waits = [];
  for (let k = 0; k < 6; k += 1) {
    FakeSocket.all.at(-1).onclose({ code: 1006 });
    waits.push(clock.runNext());
  }
  await settled();
  assert.deepEqual(waits, [500, 1000, 2000, 5000, 10000, 10000]);
  assert.equal(links.at(-1), "lost");
});

test("a log-out or a foreign run ends it at once", () => {
  for (const code of [4401, 4404]) {
    follow();
    FakeSocket.all.at(-1).onclose({ code });
    assert.deepEqual([clock.polls.size, clock.waiting.length, links.at(-1)], [0, 0, "gone"]);
  }
});
