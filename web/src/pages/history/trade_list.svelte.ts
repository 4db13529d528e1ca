/**
 * The closed trades of a filter, as far as they are needed: pages are read as they come into sight,
 * and trades that close meanwhile are put on top.
 *
 * 1. A row keeps its distance from the end of the list; only the top grows. So nothing jumps.
 * 2. Only the order "newest first" takes new trades in by itself. In any other order they are
 *    counted (`waiting`) until the user asks for them.
 */

import type { Trade, TradeTotals, Trades } from '../../api/wire';
import { type Filter, matches, parametersOf } from './filter';

export const PAGE = 200;

/** Reads one page; rejects with an error whose message is for the user. */
export type Fetch = (query: Record<string, string>) => Promise<Trades>;

export class TradeList {
  /** One entry per trade; null where it isn't read yet. */
  rows = $state.raw<readonly (Trade | null)[]>([]);
  totals = $state.raw<TradeTotals | null>(null);
  waiting = $state(0);
  loading = $state(false);
  fault = $state<string | null>(null);

  #fetch: Fetch;
  #filter: Filter | null = null;
  #nowMs = 0;
  #lastSeq = 0;
  #generation = 0;
  /** Offsets that are being read. */
  #asked: number[] = [];

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  get #newestFirst(): boolean {
    return this.#filter?.sort === 'closed_at' && !this.#filter.ascending;
  }

  /**
   * Read the list anew. nowMs: the market's clock, from which periods count; lastSeq: journal number
   * of the newest trade that is known already.
   */
  async load(filter: Filter, nowMs: number, lastSeq: number): Promise<void> {
    const generation = ++this.#generation;
    this.#filter = filter;
    this.#nowMs = nowMs;
    this.#lastSeq = lastSeq;
    this.#asked = [0];
    this.loading = true;
    this.fault = null;
    this.waiting = 0;
    try {
      const answer = await this.#page(0);
      if (generation !== this.#generation) return;
      const rows = new Array<Trade | null>(answer.totals.trades).fill(null);
      answer.trades.forEach((trade, index) => (rows[index] = trade));
      for (const trade of answer.trades) this.#lastSeq = Math.max(this.#lastSeq, trade.seq);
      this.rows = rows;
      this.totals = answer.totals;
    } catch (error) {
      if (generation !== this.#generation) return;
      this.rows = [];
      this.totals = null;
      this.fault = (error as Error).message;
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }

  /** Read what is missing of the rows `first` to `end` (exclusive). */
  async ensure(first: number, end: number): Promise<void> {
    const generation = this.#generation;
    for (let offset = first - (first % PAGE); offset < Math.min(end, this.rows.length); offset += PAGE) {
      const missing = this.rows
        .slice(Math.max(first, offset), Math.min(end, offset + PAGE))
        .some((row) => row === null);
      if (!missing || this.#asked.includes(offset)) continue;
      this.#asked.push(offset);
      try {
        const answer = await this.#page(offset);
        if (generation !== this.#generation) return;
        this.#place(offset, answer);
      } catch (error) {
        if (generation === this.#generation) this.fault = (error as Error).message;
      } finally {
        this.#asked = this.#asked.filter((one) => one !== offset);
      }
    }
  }

  #page(offset: number): Promise<Trades> {
    const parameters = parametersOf(this.#filter!, this.#nowMs);
    return this.#fetch({ ...parameters, limit: String(PAGE), offset: String(offset) });
  }

  #place(offset: number, answer: Trades): void {
    // Trades that the server counted but that have not come in live yet push its rows down by as many.
    const shift = answer.totals.trades - this.rows.length;
    const rows = [...this.rows];
    answer.trades.forEach((trade, index) => {
      const at = offset + index - shift;
      if (at >= 0 && at < rows.length) rows[at] = trade;
    });
    this.rows = rows;
  }

  /**
   * Take in trades that closed since (newest first, as the view holds them). Returns how many rows
   * were put on top.
   */
  take(trades: readonly Trade[]): number {
    const filter = this.#filter;
    if (filter === null || this.loading) return 0;
    const fresh = trades.filter((trade) => trade.seq > this.#lastSeq);
    if (fresh.length === 0) return 0;
    this.#lastSeq = fresh[0]!.seq;
    const fitting = fresh.filter((trade) => matches(trade, filter, this.#nowMs));
    if (fitting.length === 0) return 0;
    void this.#sumUp();
    if (!this.#newestFirst) {
      this.waiting += fitting.length;
      return 0;
    }
    this.rows = [...fitting, ...this.rows];
    return fitting.length;
  }

  async #sumUp(): Promise<void> {
    const generation = this.#generation;
    const parameters = parametersOf(this.#filter!, this.#nowMs);
    try {
      const answer = await this.#fetch({ ...parameters, limit: '1', offset: '0' });
      if (generation === this.#generation) this.totals = answer.totals;
    } catch {
      // The totals stay as they were; the next trade asks again.
    }
  }
}
