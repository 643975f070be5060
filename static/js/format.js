/* Numbers and times as text: the same rules as runs_app/numbers_text.py (three significant digits, sign on returns). */

export const DASH = "—";
const MINUS = "\u2212";
const LEAST = 1e-6; // the last of six decimals

export function three(number, { signed = false } = {}) {
  if (number === null || number === undefined || !Number.isFinite(number)) return DASH;
  if (number === 0) return "0";
  const rounded = Number(Math.abs(number).toExponential(2)); // 0.9996 becomes 1.00, not 1.000
  if (rounded < LEAST) return number > 0 ? "< 0.000001" : `> ${MINUS}0.000001`;
  const decimals = Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(rounded))));
  const text = group(Math.abs(number).toFixed(decimals));
  return (number < 0 ? MINUS : signed ? "+" : "") + text;
}

export function percent(fraction, options = { signed: true }) {
  return fraction === null || fraction === undefined ? DASH : three(fraction * 100, options);
}

/* a day as it is; seconds since 1970 as "2026-11-24 20:30 UTC" */
export function moment(time) {
  return typeof time === "number" ? `${new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC` : String(time ?? "");
}

export function whole(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return DASH;
  return (number < 0 ? MINUS : "") + group(String(Math.round(Math.abs(number))));
}

/* a count on an axis: 950, 12k, 1.2M */
export function short(number) {
  const size = Math.abs(number);
  if (size >= 1e6) return `${trim(number / 1e6)}M`;
  if (size >= 1e4) return `${trim(number / 1e3)}k`;
  return trim(number);
}

export function span(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return DASH;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const two = (part) => String(part).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

export function ago(iso, now = Date.now()) {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 30 * 86400) return `${Math.round(seconds / 86400)} d ago`;
  return iso.slice(0, 10);
}

function group(text) {
  const [head, tail] = text.split(".");
  const grouped = head.replace(/\B(?=(\d{3})+$)/g, ",");
  return tail === undefined ? grouped : `${grouped}.${tail}`;
}

function trim(number) {
  return String(Number(number.toPrecision(3))).replace("-", MINUS);
}
