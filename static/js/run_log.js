/* The tail of the job's log, asked for from where the last answer ended. */

const KEEP = 200000; // characters that the page holds
const FIRST = 32768; // bytes of the end that are asked for first

export class LogTail {
  constructor({ api, box, follow }) {
    Object.assign(this, { api, box, follow });
    this.offset = null;
    this.busy = false;
    box.addEventListener("scroll", () => {
      const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
      if (!atEnd && follow.checked && box.matches(":hover, :focus")) follow.checked = false;
    });
    follow.addEventListener("change", () => this.scroll());
  }

  async refresh() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (await this.ask());
    } catch {
      // the next refresh asks again from the same place
    } finally {
      this.busy = false;
    }
  }

  /* true when there is more to ask for at once */
  async ask() {
    const answer = await fetch(`${this.api}/log?offset=${this.offset ?? -FIRST}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return false;
    const { offset, next_offset: next, size, text } = await answer.json();
    const fresh = this.offset === null && offset > 0 ? text.slice(text.indexOf("\n") + 1) : text;
    const moved = next !== this.offset;
    this.offset = next;
    if (fresh) this.box.textContent = (this.box.textContent + fresh).slice(-KEEP);
    if (fresh) this.box.closest("section").hidden = false; // of several seeds: there is none before they are judged
    if (fresh) this.scroll();
    return moved && next < size;
  }

  scroll() {
    if (this.follow.checked) this.box.scrollTop = this.box.scrollHeight;
  }
}
