/**
 * Figures as people of each language write them. All functions are pure: the locale is an argument.
 *
 * A missing figure (null, NaN, infinity) is an en dash, never 0. Negative figures carry a real
 * minus sign (U+2212), which is as wide as a plus in the figures' typeface.
 */

export const MISSING = '–';

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (format === undefined) formats.set(key, (format = new Intl.NumberFormat(locale, options)));
  return format;
}

function write(value: number | null | undefined, locale: string, options: Intl.NumberFormatOptions): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return formatOf(locale, options).format(value).replace('-', '\u2212');
}

/** Write a whole number: 12,345. */
export function whole(value: number | null | undefined, locale: string): string {
  return write(value, locale, { maximumFractionDigits: 0 });
}

/** Write an amount of quote currency with two decimals: 10,023.12. */
export function money(value: number | null | undefined, locale: string): string {
  return write(value, locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** Write a gain or loss, always with its sign; exactly nothing has none: +12.34, −3.20, 0.00. */
export function signedMoney(value: number | null | undefined, locale: string): string {
  return write(value, locale, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: 'exceptZero' });
}

/** Write a percentage given in percent (2.5 is 2.5 %), signed. */
export function signedPercent(percent: number | null | undefined, locale: string): string {
  const options = { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 } as const;
  return write(divided(percent), locale, { ...options, signDisplay: 'exceptZero' });
}

/** Write a percentage given in percent, unsigned, with `digits` decimals. */
export function percent(value: number | null | undefined, locale: string, digits = 1): string {
  return write(divided(value), locale, {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Write a part of a whole in percent; what is there but rounds to nothing is "<0.1%". */
export function share(percentage: number, locale: string): string {
  if (percentage > 0 && percentage < 0.1) return '<' + percent(0.1, locale, 1);
  return percent(percentage, locale, percentage < 10 ? 1 : 0);
}

function divided(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : value / 100;
}

/**
 * Write a price with the decimals of its instrument; without them, with about six significant
 * digits, so that 0.00001234 and 64,123.4 both say enough.
 */
export function price(value: number | null | undefined, locale: string, digits?: number): string {
  const places = digits ?? placesOf(value);
  return write(value, locale, { minimumFractionDigits: places, maximumFractionDigits: places });
}

function placesOf(value: number | null | undefined): number {
  if (!value || !Number.isFinite(value)) return 2;
  return Math.min(10, Math.max(0, 5 - Math.floor(Math.log10(Math.abs(value)))));
}

/** Write a quantity of base currency with up to eight significant digits: 0.0156, 1,250. */
export function quantity(value: number | null | undefined, locale: string): string {
  return write(value, locale, { maximumSignificantDigits: 8 });
}

/** Write a count shortened: 950, 12.4K, 3.1M. */
export function compact(value: number | null | undefined, locale: string): string {
  return write(value, locale, { notation: 'compact', maximumFractionDigits: 1 });
}

/** Write a figure of a check: an indicator's value may have any magnitude. */
export function measure(value: number | null | undefined, locale: string): string {
  return write(value, locale, { maximumSignificantDigits: 6 });
}

/** Write bytes in the unit that leaves one to three digits before the point. */
export function bytes(value: number | null | undefined, locale: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  const rank = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return write(value / 1000 ** rank, locale, {
    style: 'unit',
    unit: units[rank],
    unitDisplay: 'short',
    maximumFractionDigits: rank === 0 ? 0 : 1,
  });
}

export type Direction = 'up' | 'down' | 'level';

/** Say which way a figure points once it is rounded to `digits` decimals; −0.001 at 2 is level. */
export function directionOf(value: number | null | undefined, digits = 2): Direction {
  if (value === null || value === undefined || !Number.isFinite(value)) return 'level';
  const shown = Math.round(value * 10 ** digits);
  return shown > 0 ? 'up' : shown < 0 ? 'down' : 'level';
}
