/** Moments and durations for people. Moments come as milliseconds since the epoch, or as ISO 8601. */

import { MISSING } from './numbers';

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (format === undefined) formats.set(key, (format = new Intl.DateTimeFormat(locale, options)));
  return format;
}

/** Read an ISO 8601 moment as epoch milliseconds; null stays null, nonsense becomes null. */
export function millisOf(iso: string | null | undefined): number | null {
  if (!iso) return null;
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? null : ms;
}

/** Write day and time in UTC, the clock of markets: 24 Jun, 13:05:00. */
export function moment(ms: number | null | undefined, locale: string): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  return formatOf(locale, {
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
    timeZone: 'UTC',
  }).format(ms);
}

/** Write day, month, year, hour and minute in UTC. */
export function minute(ms: number | null | undefined, locale: string): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  return formatOf(locale, {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    timeZone: 'UTC',
  }).format(ms);
}

/** Write the day in UTC: 24 Jun 2025. */
export function day(ms: number | null | undefined, locale: string): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  return formatOf(locale, { day: '2-digit', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(ms);
}

const UNITS = [
  { ms: 86_400_000, en: 'd', fr: 'j' },
  { ms: 3_600_000, en: 'h', fr: 'h' },
  { ms: 60_000, en: 'm', fr: 'min' },
  { ms: 1000, en: 's', fr: 's' },
] as const;

/** Write how long something lasts with its two leading units: 2 h 05 m, 48 s, 3 d 4 h. */
export function duration(ms: number | null | undefined, locale: string): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  const name = locale.startsWith('fr') ? 'fr' : 'en';
  const left = Math.max(0, Math.round(ms / 1000)) * 1000;
  const first = UNITS.findIndex((unit) => left >= unit.ms);
  if (first < 0) return `0\u202fs`;
  const unit = UNITS[first]!;
  const lead = `${Math.floor(left / unit.ms)}\u202f${unit[name]}`;
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((left % unit.ms) / next.ms);
  if (next === undefined || rest === 0) return lead;
  const padded = next.ms < 3_600_000 ? String(rest).padStart(2, '0') : String(rest);
  return `${lead} ${padded}\u202f${next[name]}`;
}

/** Write a delay: 850 ms, 3.2 s, then as `duration`. */
export function delay(ms: number | null | undefined, locale: string): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  if (ms < 1000) return `${Math.round(ms)}\u202fms`;
  if (ms < 10_000) {
    const seconds = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(ms / 1000);
    return `${seconds}\u202fs`;
  }
  return duration(ms, locale);
}

/** Write a latency in milliseconds with one decimal below 10: 0.4 ms, 12 ms. */
export function milliseconds(ms: number | null | undefined, locale: string): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  const digits = ms < 10 ? 1 : 0;
  const text = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    ms,
  );
  return `${text}\u202fms`;
}
