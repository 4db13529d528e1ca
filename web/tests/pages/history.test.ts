import { describe, expect, it } from 'vitest';
import type { Trade, Trades } from '../../src/api/wire';
import { boundsOf, filterOf, isFiltered, matches, parametersOf, queryOf } from '../../src/pages/history/filter';
import { symbolOf } from '../../src/pages/history/symbols';
import { PAGE, TradeList } from '../../src/pages/history/trade_list.svelte';
import { totals, trade } from '../frames';

const NOW = Date.parse('2025-06-24T12:00:00.000Z');
const filter = (query: string) => filterOf(new URLSearchParams(query));

describe('filters in the address', () => {
  it('an address without a query shows everything, newest first', () => {
    expect(isFiltered(filter(''))).toBe(false);
    expect(parametersOf(filter(''), NOW)).toEqual({ sort: '-closed_at' });
  });

  it.each([
    'bot=V1&side=long&result=loss',
    'symbol=BTC%2FUSDT&period=24h&sort=pnl',
    'period=custom&from=2025-06-01&to=2025-06-02&sort=-duration',
  ])('%s is read and written back the same', (query) => {
    expect(queryOf(filter(query)).toString()).toBe(query);
  });

  it('what is not allowed counts as not given', () => {
    expect(queryOf(filter('side=up&result=maybe&period=eon&from=yesterday&sort=colour')).toString()).toBe('');
  });

  it('periods count back from the clock of the market', () => {
    expect(parametersOf(filter('period=1h'), NOW)).toMatchObject({ from: '2025-06-24T11:00:00.000Z' });
  });

  it('the last day of a chosen period is part of it', () => {
    const { fromMs, toMs } = boundsOf(filter('period=custom&from=2025-06-01&to=2025-06-01'), NOW);
    expect((toMs ?? 0) - (fromMs ?? 0)).toBe(86_400_000);
  });

  it('trades that arrive live are judged by the same rule', () => {
    const one = trade(1, { bot: 'V2', result: 'loss', closed_at: '2025-06-24T11:30:00.000Z' });
    expect(matches(one, filter('bot=V2&result=loss&period=1h'), NOW)).toBe(true);
    expect(matches(one, filter('bot=V1'), NOW)).toBe(false);
    expect(matches(one, filter('period=1h'), NOW + 3_600_000)).toBe(false);
  });
});

describe('typing a symbol', () => {
  const symbols = ['BTC/USDT', 'ETH/USDT', 'ETC/USDT', 'BTC/USDT:USDT'];

  it('letters and digits are enough', () => {
    expect(symbolOf('ethusdt', symbols)).toBe('ETH/USDT');
    expect(symbolOf('eth', symbols)).toBe('ETH/USDT');
  });

  it('what fits several is not guessed', () => {
    expect(symbolOf('et', symbols)).toBeNull();
    expect(symbolOf('btcusdt', symbols)).toBeNull();
  });

  it('the whole name says which one', () => {
    expect(symbolOf('BTC/USDT', symbols)).toBe('BTC/USDT');
    expect(symbolOf('BTC/USDT:USDT', symbols)).toBe('BTC/USDT:USDT');
  });
});

/** A server with a growing list of trades, newest first. */
class Server {
  trades: Trade[];
  requests: Record<string, string>[] = [];

  constructor(count: number) {
    this.trades = Array.from({ length: count }, (_, n) => trade(count - n));
  }

  close(over: Partial<Trade> = {}): Trade {
    const one = trade((this.trades[0]?.seq ?? 0) + 1, over);
    this.trades = [one, ...this.trades];
    return one;
  }

  answer = (query: Record<string, string>): Promise<Trades> => {
    this.requests.push(query);
    const [limit, offset] = [Number(query.limit), Number(query.offset)];
    const trades = this.trades.slice(offset, offset + limit);
    return Promise.resolve({ trades, totals: totals(this.trades.length), limit, offset });
  };
}

const seqs = (list: TradeList) => list.rows.map((row) => row?.seq ?? null);

describe('the list of trades', () => {
  it('knows its length from the first page and reads the rest when it comes into sight', async () => {
    const server = new Server(PAGE * 3);
    const list = new TradeList(server.answer);
    await list.load(filter(''), NOW, 0);
    expect(list.rows).toHaveLength(PAGE * 3);
    expect(list.rows[PAGE]).toBeNull();
    await list.ensure(PAGE - 5, PAGE + 5);
    expect(list.rows[PAGE]?.seq).toBe(PAGE * 2);
    expect(server.requests).toHaveLength(2);
  });

  it('puts a trade that closes on top, once', async () => {
    const server = new Server(2);
    const list = new TradeList(server.answer);
    await list.load(filter(''), NOW, 0);
    server.close();
    expect(list.take(server.trades)).toBe(1);
    expect(list.take(server.trades)).toBe(0);
    expect(seqs(list)).toEqual([3, 2, 1]);
  });

  it('leaves out a trade that the filter does not let through', async () => {
    const server = new Server(0);
    const list = new TradeList(server.answer);
    await list.load(filter('bot=V1'), NOW, 0);
    server.close({ bot: 'V2' });
    expect(list.take(server.trades)).toBe(0);
    expect(list.rows).toEqual([]);
  });

  it('in another order new trades are counted, and nothing moves', async () => {
    const server = new Server(2);
    const list = new TradeList(server.answer);
    await list.load(filter('sort=pnl'), NOW, 2);
    server.close();
    expect(list.take(server.trades)).toBe(0);
    expect([list.waiting, list.rows.length]).toEqual([1, 2]);
  });

  it('a page that was read after a trade closed, but before it came in, is put in its place', async () => {
    const server = new Server(PAGE * 2);
    const list = new TradeList(server.answer);
    await list.load(filter(''), NOW, 0);
    server.close();
    await list.ensure(PAGE, PAGE * 2);
    list.take(server.trades);
    const expected = server.trades.map((one) => one.seq);
    // The row that the shifted page did not reach is read again when it comes into sight.
    await list.ensure(PAGE * 2, PAGE * 2 + 1);
    expect(seqs(list)).toEqual(expected);
  });

  it('an answer to an earlier filter is dropped', async () => {
    const answers: ((trades: Trades) => void)[] = [];
    const list = new TradeList(() => new Promise((resolve) => answers.push(resolve)));
    const first = list.load(filter('bot=V1'), NOW, 0);
    const second = list.load(filter('bot=V2'), NOW, 0);
    answers[1]?.({ trades: [trade(9, { bot: 'V2' })], totals: totals(1), limit: PAGE, offset: 0 });
    answers[0]?.({ trades: [trade(8)], totals: totals(1), limit: PAGE, offset: 0 });
    await Promise.all([first, second]);
    expect(seqs(list)).toEqual([9]);
  });

  it('says why it could not be read', async () => {
    const list = new TradeList(() => Promise.reject(new Error('journal is locked')));
    await list.load(filter(''), NOW, 0);
    expect([list.fault, list.loading, list.rows.length]).toEqual(['journal is locked', false, 0]);
  });
});
