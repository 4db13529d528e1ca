import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/api/wire';
import { apply } from '../../src/live/fold';
import { KEPT, type View } from '../../src/live/view';
import { bot, decision, frame, position, snapshot, snapshotData, totals, trade } from '../frames';

/** Fold frames from the start; fails where one of them asks for a resync. */
function fold(...frames: Frame[]): View {
  let view: View | null = null;
  for (const one of frames) {
    const next = apply(view, one);
    if (next === 'resync') throw new Error(`frame ${one.seq} asked for a resync`);
    view = next;
  }
  if (view === null) throw new Error('no frames');
  return view;
}

describe('the order of frames', () => {
  it('nothing is known before the first snapshot', () => {
    expect(apply(null, frame('speed', 1, { speed: 60, allowed: [1] }))).toBe('resync');
  });

  it('a gap asks for a snapshot', () => {
    expect(apply(fold(snapshot(1)), frame('speed', 3, { speed: 10, allowed: [1, 10] }))).toBe('resync');
  });

  it('a frame that was folded already changes nothing', () => {
    const view = fold(snapshot(1), frame('speed', 2, { speed: 10, allowed: [1, 10] }));
    expect(apply(view, frame('speed', 2, { speed: 600, allowed: [600] }))).toBe(view);
  });

  it('a snapshot replaces everything, whatever its number', () => {
    const before = fold(snapshot(9), frame('position_update', 10, { positions: [position('P1')] }));
    const after = apply(before, snapshot(1));
    expect(after).toMatchObject({ seq: 1, positions: [] });
  });

  it('the view that comes in is left as it was', () => {
    const view = fold(snapshot(1));
    const copy = structuredClone({ ...view, prices: [...view.prices], curves: [...view.curves] });
    apply(view, frame('price_update', 2, { prices: [{ symbol: 'BTC/USDT', price: 1, at: '' }] }));
    apply(view, frame('trade_closed', 2, { trade: trade(5), totals: totals(1) }));
    apply(view, frame('equity', 2, { bot: 'V1', points: [{ at: '2025-06-24T12:01:00.000Z', balance: 1, equity: 2 }] }));
    expect({ ...view, prices: [...view.prices], curves: [...view.curves] }).toEqual(copy);
  });

  it('frames that carry nothing for the view still count', () => {
    const view = fold(
      snapshot(1),
      frame('pong', 2, {}),
      frame('result', 3, { ok: true, speed: null, positions: null, topics: null }),
      frame('speed', 4, { speed: 10, allowed: [10] }),
    );
    expect(view).toMatchObject({ seq: 4, speed: { speed: 10 } });
  });

  it('a kind of a later version is counted and otherwise ignored', () => {
    const view = fold(snapshot(1));
    const later = { type: 'weather', seq: 2, at: '', data: {} } as unknown as Frame;
    expect(apply(view, later)).toEqual({ ...view, seq: 2 });
  });
});

describe('values', () => {
  it('prices that changed are replaced, the others stay', () => {
    const prices = [
      { symbol: 'BTC/USDT', price: 1, at: '' },
      { symbol: 'ETH/USDT', price: 2, at: '' },
    ];
    const view = fold(
      snapshot(1, { prices }),
      frame('price_update', 2, { prices: [{ symbol: 'ETH/USDT', price: 3, at: '' }] }),
    );
    expect([...view.prices.values()].map((one) => one.price)).toEqual([1, 3]);
  });

  it('positions and bots replace their lists', () => {
    const view = fold(
      snapshot(1, { positions: [position('P1'), position('P2')] }),
      frame('position_update', 2, { positions: [position('P2')] }),
      frame('balance_update', 3, { bots: [bot('V1', { balance: 5 })], totals: snapshotData().status.totals }),
    );
    expect(view.positions.map((one) => one.position_id)).toEqual(['P2']);
    expect(view.bots).toMatchObject([{ name: 'V1', balance: 5 }]);
  });

  it('health is taken over', () => {
    const data = { is_running: false, uptime_s: 3, loop_lag_ms: 0.4, journal_seq: 7, feeds: [], errors: ['disk'] };
    expect(fold(snapshot(1), frame('system_status', 2, data))).toMatchObject({
      isRunning: false,
      loopLagMs: 0.4,
      journalSeq: 7,
      errors: ['disk'],
    });
  });
});

describe('events', () => {
  it('a closed trade goes on top, with the new totals', () => {
    const view = fold(
      snapshot(1, { trades: [trade(4)] }),
      frame('trade_closed', 2, { trade: trade(5), totals: totals(2) }),
    );
    expect(view.trades.map((one) => one.seq)).toEqual([5, 4]);
    expect(view.tradeTotals.trades).toBe(2);
  });

  it('a record that the snapshot held already is not added twice', () => {
    const view = fold(
      snapshot(1, { trades: [trade(5)], decisions: [decision(6)] }),
      frame('trade_closed', 2, { trade: trade(5), totals: totals(1) }),
      frame('signal', 3, decision(6)),
    );
    expect(view.trades).toHaveLength(1);
    expect(view.decisions).toHaveLength(1);
  });

  it('endless lists keep their newest part', () => {
    const frames = Array.from({ length: KEPT.decisions + 20 }, (_, n) => frame('signal', n + 2, decision(n)));
    const view = fold(snapshot(1), ...frames);
    expect(view.decisions).toHaveLength(KEPT.decisions);
    expect(view.decisions[0]?.seq).toBe(KEPT.decisions + 19);
  });

  it("a bot's new state shows, and whether anything runs", () => {
    const at = '2025-06-24T12:00:00.000Z';
    const one = fold(snapshot(1), frame('bot_status', 2, { bot: 'V1', state: 'paused', by: 'user', at }));
    expect(one.bots.map((each) => each.state)).toEqual(['paused', 'running']);
    expect(one.isRunning).toBe(true);
    expect(apply(one, frame('bot_status', 3, { bot: 'V2', state: 'stopped', by: 'user', at }))).toMatchObject({
      isRunning: false,
    });
  });

  it('a curve grows at its end and stays within bounds', () => {
    const start = Date.parse('2025-06-24T12:00:00.000Z');
    const points = Array.from({ length: 3000 }, (_, n) => ({
      at: new Date(start + (n + 1) * 60_000).toISOString(),
      balance: n,
      equity: n,
    }));
    const view = fold(snapshot(1), frame('equity', 2, { bot: 'V1', points }));
    const curve = view.curves.get('V1')?.points ?? [];
    expect(curve.length).toBeLessThanOrEqual(KEPT.points);
    expect(curve[0]).toEqual([start, 10_000]);
    expect(curve.at(-1)).toEqual([start + 3000 * 60_000, 2999]);
  });

  it('a curve of an unknown bot asks for a snapshot', () => {
    expect(apply(fold(snapshot(1)), frame('equity', 2, { bot: 'V9', points: [] }))).toBe('resync');
  });
});
