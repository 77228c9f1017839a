// Numbers and times for people: a true minus, a thin grouping, the reader's own time zone.

export const MISSING = "–";
const MINUS = "\u2212";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const day = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
const dayOfYear = new Intl.DateTimeFormat(undefined, day);
const dayOfAnyYear = new Intl.DateTimeFormat(undefined, { ...day, year: "numeric" });

export const count = (number) => whole.format(number).replace("-", MINUS);

/** `1 trade`, `1,200 trades`. */
export const counted = (number, one, many) =>
  `${count(number)} ${number === 1 ? one : (many ?? `${one}s`)}`;

export function number(value, digits = 2) {
  if (value === null || value === undefined) return MISSING;
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", MINUS);
}

export function percent(value, digits = 0) {
  return value === null || value === undefined ? MISSING : `${number(100 * value, digits)} %`;
}

export function ordinal(value) {
  const teens = value % 100;
  const ending = teens > 10 && teens < 14 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[value % 10] ?? "th");
  return `${count(value)}${ending}`;
}

/** `8 s`, `2 min 05 s`, `3 h 10 min`, `2 d 4 h`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return MISSING;
  const total = Math.max(0, Math.round(seconds));
  const pad = (value) => String(value).padStart(2, "0");
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} min ${pad(total % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${pad(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time in the reader's zone: the hour of today, or the day and the hour. */
export function moment(iso) {
  const date = new Date(iso);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  return (date.getFullYear() === now.getFullYear() ? dayOfYear : dayOfAnyYear).format(date);
}

/** The same in UTC, for the hint of a time. */
export const utc = (iso) => `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;

export const words = (name) => (name ?? "").replaceAll("_", " ");
