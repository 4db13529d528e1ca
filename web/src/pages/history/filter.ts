/** What the History page shows, as it stands in the address bar and as the API takes it. */

import type { Trade } from '../../api/wire';

export const SIDES = ['long', 'short'] as const;
export const RESULTS = ['win', 'loss', 'even'] as const;
export const PERIODS = ['1h', '24h', '7d', 'custom'] as const;
export const SORTS = ['closed_at', 'opened_at', 'symbol', 'bot', 'pnl', 'pnl_pct', 'duration'] as const;

export type Side = (typeof SIDES)[number];
export type Result = (typeof RESULTS)[number];
export type Period = (typeof PERIODS)[number];
export type Sort = (typeof SORTS)[number];

export interface Filter {
  bot: string | null;
  symbol: string | null;
  side: Side | null;
  result: Result | null;
  /** null: all time. */
  period: Period | null;
  /** Days (YYYY-MM-DD, UTC) of a custom period, both included. */
  from: string | null;
  to: string | null;
  sort: Sort;
  ascending: boolean;
}

const PERIOD_MS: Record<Exclude<Period, 'custom'>, number> = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 };
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

function oneOf<T extends string>(allowed: readonly T[], value: string | null): T | null {
  return allowed.find((one) => one === value) ?? null;
}

function dayOf(value: string | null): string | null {
  return value !== null && DAY.test(value) && !Number.isNaN(Date.parse(value)) ? value : null;
}

/** Read a filter from the query of the address; what isn't allowed counts as not given. */
export function filterOf(query: URLSearchParams): Filter {
  const sort = query.get('sort') ?? '-closed_at';
  return {
    bot: query.get('bot') || null,
    symbol: query.get('symbol') || null,
    side: oneOf(SIDES, query.get('side')),
    result: oneOf(RESULTS, query.get('result')),
    period: oneOf(PERIODS, query.get('period')),
    from: dayOf(query.get('from')),
    to: dayOf(query.get('to')),
    sort: oneOf(SORTS, sort.replace(/^-/, '')) ?? 'closed_at',
    ascending: !sort.startsWith('-') && oneOf(SORTS, sort) !== null,
  };
}

/** Write a filter as a query; `filterOf` reads it back. Defaults are left out. */
export function queryOf(filter: Filter): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['bot', 'symbol', 'side', 'result', 'period', 'from', 'to'] as const) {
    const value = filter[name];
    if (value !== null) query.set(name, value);
  }
  const sort = sortText(filter);
  if (sort !== '-closed_at') query.set('sort', sort);
  return query;
}

/** Write the order as the API takes it: `pnl` ascending, `-pnl` descending. */
export function sortText(filter: Filter): string {
  return (filter.ascending ? '' : '-') + filter.sort;
}

/** Say whether anything but the order is chosen. */
export function isFiltered(filter: Filter): boolean {
  return [filter.bot, filter.symbol, filter.side, filter.result, filter.period].some((value) => value !== null);
}

export interface Bounds {
  fromMs: number | null;
  /** Exclusive. */
  toMs: number | null;
}

/** Return the moments of close that the filter spans, seen from `nowMs`, the market's clock. */
export function boundsOf(filter: Filter, nowMs: number): Bounds {
  if (filter.period === null) return { fromMs: null, toMs: null };
  if (filter.period !== 'custom') return { fromMs: nowMs - PERIOD_MS[filter.period], toMs: null };
  return {
    fromMs: filter.from === null ? null : Date.parse(filter.from),
    toMs: filter.to === null ? null : Date.parse(filter.to) + DAY_MS,
  };
}

/** Return the filter as the API's query parameters. */
export function parametersOf(filter: Filter, nowMs: number): Record<string, string> {
  const { fromMs, toMs } = boundsOf(filter, nowMs);
  const parameters: Record<string, string> = { sort: sortText(filter) };
  for (const name of ['bot', 'symbol', 'side', 'result'] as const) {
    const value = filter[name];
    if (value !== null) parameters[name] = value;
  }
  if (fromMs !== null) parameters.from = new Date(fromMs).toISOString();
  if (toMs !== null) parameters.to = new Date(toMs - 1).toISOString();
  return parameters;
}

/** Say whether a trade belongs to the filter: the API's rule, for trades that arrive live. */
export function matches(trade: Trade, filter: Filter, nowMs: number): boolean {
  const { fromMs, toMs } = boundsOf(filter, nowMs);
  const closedMs = Date.parse(trade.closed_at);
  return (
    (filter.bot === null || trade.bot === filter.bot) &&
    (filter.symbol === null || trade.symbol === filter.symbol) &&
    (filter.side === null || trade.side === filter.side) &&
    (filter.result === null || trade.result === filter.result) &&
    (fromMs === null || closedMs >= fromMs) &&
    (toMs === null || closedMs < toMs)
  );
}
