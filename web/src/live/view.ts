/** What the dashboard knows of the engine: the last snapshot and all frames after it, folded. */

import type {
  BotView,
  Decision,
  FeedView,
  Instrument,
  LivePosition,
  Price,
  Session,
  Speed,
  Totals,
  Trade,
  TradeTotals,
} from '../api/wire';
import type { Point } from '../parts/series';

export interface Curve {
  quote: string;
  initial: number;
  /** Equity over market time, oldest first. */
  points: readonly Point[];
}

export interface View {
  /** Number of the last frame of this connection that is folded in. */
  readonly seq: number;
  readonly version: string;
  readonly startedAt: string;
  readonly session: Session;
  readonly isRunning: boolean;
  readonly uptimeS: number;
  readonly loopLagMs: number | null;
  readonly journalSeq: number | null;
  readonly bots: readonly BotView[];
  readonly totals: Totals;
  readonly feeds: readonly FeedView[];
  readonly speed: Speed;
  readonly errors: readonly string[];
  readonly positions: readonly LivePosition[];
  readonly prices: ReadonlyMap<string, Price>;
  readonly curves: ReadonlyMap<string, Curve>;
  /** Newest first; the last ones only (`KEPT`). */
  readonly trades: readonly Trade[];
  readonly tradeTotals: TradeTotals;
  /** Newest first; the last ones only (`KEPT`). */
  readonly decisions: readonly Decision[];
  /** By `instrumentKey`. */
  readonly instruments: ReadonlyMap<string, Instrument>;
}

/** How much of each endless list stays in memory. */
export const KEPT = { trades: 200, decisions: 200, points: 2000 } as const;

export function instrumentKey(venue: string, symbol: string): string {
  return `${venue} ${symbol}`;
}

/** Return the newest market time of the feeds (epoch milliseconds), or null without a feed. */
export function marketTimeOf(view: View): number | null {
  const times = view.feeds.map((feed) => Date.parse(feed.market_time)).filter((ms) => !Number.isNaN(ms));
  return times.length === 0 ? null : Math.max(...times);
}
