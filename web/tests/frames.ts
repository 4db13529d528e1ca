/** Small but complete frames, as the server says them, for the tests. */

import type { BotView, Decision, Frame, LivePosition, Snapshot, Trade, TradeTotals } from '../src/api/wire';

const AT = '2025-06-24T12:00:00.000Z';

export function bot(name: string, over: Partial<BotView> = {}): BotView {
  return {
    name,
    mode: 'virtual',
    mode_label: 'Virtual',
    state: 'running',
    venue: 'binance',
    strategy: 'ema_rsi',
    timeframe: '1m',
    quote: 'USDT',
    symbols: ['BTC/USDT', 'ETH/USDT'],
    parameters: { rsi_overbought: 75 },
    initial_balance: 10_000,
    balance: 10_000,
    equity: 10_000,
    unrealised: 0,
    pnl: 0,
    pnl_pct: 0,
    pnl_today: 0,
    open_positions: 0,
    max_positions: 5,
    trades: 0,
    wins: 0,
    losses: 0,
    win_rate_pct: null,
    signals: 0,
    holds: {},
    last_error: '',
    ...over,
  };
}

export function position(id: string, over: Partial<LivePosition> = {}): LivePosition {
  return {
    position_id: id,
    bot: 'V1',
    mode: 'virtual',
    mode_label: 'Virtual',
    symbol: 'BTC/USDT',
    side: 'long',
    quantity: 0.01,
    entry_price: 60_000,
    price: 60_100,
    stop_price: 58_800,
    target_price: 63_000,
    notional: 601,
    unrealised: 1,
    unrealised_pct: 0.17,
    fees: 0.24,
    opened_at: AT,
    price_at: AT,
    ...over,
  };
}

export function trade(seq: number, over: Partial<Trade> = {}): Trade {
  return {
    seq,
    trade_id: `T${seq}`,
    bot: 'V1',
    mode: 'virtual',
    mode_label: 'Virtual',
    symbol: 'BTC/USDT',
    quote: 'USDT',
    side: 'long',
    result: 'win',
    quantity: '0.01',
    entry_price: '60000.00',
    exit_price: '63000.00',
    opened_at: AT,
    closed_at: AT,
    duration_s: 600,
    fees: '0.49000000',
    funding: '0.00000000',
    pnl: '29.51000000',
    pnl_pct: 4.9,
    reason: 'take_profit',
    balance_after: '10029.51000000',
    ...over,
  };
}

export function totals(trades: number): TradeTotals {
  return {
    trades,
    wins: trades,
    losses: 0,
    win_rate_pct: trades ? 100 : null,
    pnl: '0.00000000',
    fees: '0.00000000',
    funding: '0.00000000',
    best: null,
    worst: null,
    average: null,
  };
}

export function decision(seq: number, over: Partial<Decision> = {}): Decision {
  return {
    seq,
    at: AT,
    bot: 'V1',
    mode: 'virtual',
    symbol: 'BTC/USDT',
    timeframe: '1m',
    direction: 'long',
    score: 100,
    price: 60_000,
    checks: [{ name: 'rsi', value: 60, threshold: 75, relation: '<', passed: true }],
    action: 'enter',
    reason: '',
    detail: '',
    client_id: 'c1',
    ...over,
  };
}

export function snapshotData(over: Partial<Snapshot> = {}): Snapshot {
  return {
    status: {
      is_running: true,
      version: '0.1.0',
      started_at: AT,
      now: AT,
      uptime_s: 12,
      bots: [bot('V1'), bot('V2')],
      totals: {
        quote: 'USDT',
        initial_balance: 20_000,
        balance: 20_000,
        equity: 20_000,
        unrealised: 0,
        pnl: 0,
        pnl_pct: 0,
        pnl_today: 0,
        open_positions: 0,
        max_positions: 10,
        trades: 0,
        wins: 0,
        losses: 0,
        win_rate_pct: null,
        signals: 0,
        monitored_pairs: 2,
      },
      feeds: [
        {
          name: 'virtual',
          kind: 'generated',
          state: 'running',
          symbols: 2,
          market_time: AT,
          speed: 60,
          last_event_age_ms: 0,
        },
      ],
      speed: { speed: 60, allowed: [1, 10, 60, 600] },
      errors: [],
    },
    positions: [],
    prices: [{ symbol: 'BTC/USDT', price: 60_000, at: AT }],
    equity: [
      { bot: 'V1', quote: 'USDT', initial_balance: 10_000, points: [{ at: AT, balance: 10_000, equity: 10_000 }] },
    ],
    trades: [],
    trade_totals: totals(0),
    decisions: [],
    instruments: [],
    session: { signed_in: true, can_write: true, open_reads: true, hint: '' },
    ...over,
  };
}

type Data<T extends Frame['type']> = Extract<Frame, { type: T }>['data'];

/** Wrap data into a frame of the given kind. */
export function frame<T extends Frame['type']>(type: T, seq: number, data: Data<T>): Frame {
  return { type, seq, at: AT, data } as Frame;
}

export function snapshot(seq = 1, over: Partial<Snapshot> = {}): Frame {
  return frame('snapshot', seq, snapshotData(over));
}
