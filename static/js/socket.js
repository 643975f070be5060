/* News of one run: a WebSocket, and polling of the same JSON while there is none.
   Whole snapshots, ordered by `seq` and `updated`; an older one is dropped. */

const POLL_MS = 1500;
const RETRY_MS = [500, 1000, 2000, 5000, 10000];
export const TERMINAL = new Set(["SUCCEEDED", "FAILED", "CANCELLED", "INTERRUPTED"]);

export class RunNews {
  /* `onNews(payload)` for each new snapshot, `onLink("live" | "polling" | "lost" | "closed" | "gone")` when the road changes */
  constructor({ api, onNews, onLink, WebSocketClass = globalThis.WebSocket, fetchJson = defaultFetch, timers = globalThis }) {
    Object.assign(this, { api, onNews, onLink, WebSocketClass, fetchJson, timers });
    this.seq = -1;
    this.updated = "";
    this.tries = 0;
    this.ended = false;
    this.link = "";
    this.poll = null;
  }

  start() {
    this.connect();
    return this;
  }

  connect() {
    if (this.ended) return;
    let socket;
    try {
      socket = new this.WebSocketClass(socketAddress(this.api));
    } catch {
      this.fallBack();
      return;
    }
    this.socket = socket;
    socket.onmessage = (message) => this.hear(JSON.parse(message.data), "live");
    socket.onclose = (event) => this.lose(event.code);
  }

  hear(payload, road) {
    if (typeof payload?.state !== "string") return;
    if (road === "live") {
      this.tries = 0;
      this.stopPolling();
    }
    this.say(road);
    if (payload.seq < this.seq || (payload.seq === this.seq && (payload.updated ?? "") < this.updated)) return;
    this.seq = payload.seq;
    this.updated = payload.updated ?? "";
    this.onNews(payload);
    if (TERMINAL.has(payload.state)) this.end();
  }

  lose(code) {
    if (this.ended) return;
    if (code === 4401 || code === 4404) {
      this.end("gone"); // logged out, or no run of this person: nothing would answer
      return;
    }
    this.fallBack();
  }

  fallBack() {
    if (this.poll === null) {
      this.poll = this.timers.setInterval(() => this.ask(), POLL_MS);
      this.ask();
    }
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
    this.tries += 1;
    this.timers.setTimeout(() => this.connect(), wait);
  }

  async ask() {
    try {
      this.hear(await this.fetchJson(this.api), "polling");
    } catch {
      this.say("lost");
    }
  }

  stopPolling() {
    if (this.poll !== null) this.timers.clearInterval(this.poll);
    this.poll = null;
  }

  end(link = "closed") {
    this.ended = true;
    this.stopPolling();
    this.say(link);
    this.socket?.close();
  }

  say(link) {
    if (link !== this.link) this.onLink?.((this.link = link));
  }
}

function socketAddress(api) {
  const here = globalThis.location;
  return `${here.protocol === "https:" ? "wss:" : "ws:"}//${here.host}${api}/ws`;
}

async function defaultFetch(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}
