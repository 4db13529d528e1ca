/**
 * The fold of realtime frames into the view. Pure: no clock, no socket, and the view that comes in
 * is never changed.
 *
 * 1. A snapshot replaces everything.
 * 2. `seq` of a connection has no gaps: a frame beyond the next one means that something was lost,
 *    and the answer is "resync" (ask for a snapshot). An older frame changes nothing.
 * 3. Records carry their number in the journal; one that the snapshot already held is not added twice.
4. A known kind of frame that this function does not handle is a type error.
 */

import type { EquityCurve, EquityPoint, Frame, Snapshot } from '../api/wire';
import { extend, type Point, thin } from '../parts/series';
import { type Curve, instrumentKey, KEPT, type View } from './view';

/** Return the view after `frame`, or "resync" when a frame before it was lost. */
export function apply(view: View | null, frame: Frame): View | 'resync' {
  if (frame.type === 'snapshot') return viewOf(frame.seq, frame.data);
  if (view === null) return 'resync';
  if (frame.seq <= view.seq) return view;
  if (frame.seq !== view.seq + 1) return 'resync';

  const { seq } = frame;
  switch (frame.type) {
    case 'price_update': {
      const prices = new Map(view.prices);
      for (const price of frame.data.prices) prices.set(price.symbol, price);
      return { ...view, seq, prices };
    }
    case 'position_update':
      return { ...view, seq, positions: frame.data.positions };
    case 'balance_update':
      return { ...view, seq, bots: frame.data.bots, totals: frame.data.totals };
    case 'system_status':
      return {
        ...view,
        seq,
        isRunning: frame.data.is_running,
        uptimeS: frame.data.uptime_s,
        loopLagMs: frame.data.loop_lag_ms,
        journalSeq: frame.data.journal_seq,
        feeds: frame.data.feeds,
        errors: frame.data.errors,
      };
    case 'trade_closed': {
      const { trade, totals } = frame.data;
      return { ...view, seq, trades: added(view.trades, trade, KEPT.trades), tradeTotals: totals };
    }
    case 'signal':
      return { ...view, seq, decisions: added(view.decisions, frame.data, KEPT.decisions) };
    case 'bot_status': {
      const { bot, state } = frame.data;
      const bots = view.bots.map((one) => (one.name === bot ? { ...one, state } : one));
      return { ...view, seq, bots, isRunning: bots.some((one) => one.state === 'running') };
    }
    case 'equity': {
      const curve = view.curves.get(frame.data.bot);
      if (curve === undefined) return 'resync';
      const points = extend(curve.points, frame.data.points.map(pointOf));
      const grown = { ...curve, points: thin(points, KEPT.points) };
      return { ...view, seq, curves: new Map(view.curves).set(frame.data.bot, grown) };
    }
    case 'speed':
      return { ...view, seq, speed: frame.data };
    case 'bot_trade_executed':
    case 'pong':
    case 'result':
    case 'error':
      return { ...view, seq };
    default:
      return later(view, seq, frame);
  }
}

/** Put a record on top of a list (newest first), unless the snapshot had it already. */
function added<T extends { seq: number }>(list: readonly T[], record: T, most: number): readonly T[] {
  return list.some((one) => one.seq === record.seq) ? list : [record, ...list].slice(0, most);
}

/** A frame of a later version is counted, and changes nothing that this version knows. */
function later(view: View, seq: number, frame: never): View {
  void frame;
  return { ...view, seq };
}

function viewOf(seq: number, data: Snapshot): View {
  const { status } = data;
  return {
    seq,
    version: status.version,
    startedAt: status.started_at,
    session: data.session,
    isRunning: status.is_running,
    uptimeS: status.uptime_s,
    loopLagMs: null,
    journalSeq: null,
    bots: status.bots,
    totals: status.totals,
    feeds: status.feeds,
    speed: status.speed,
    errors: status.errors,
    positions: data.positions,
    prices: new Map(data.prices.map((price) => [price.symbol, price])),
    curves: new Map(data.equity.map((curve) => [curve.bot, curveOf(curve)])),
    trades: data.trades.slice(0, KEPT.trades),
    tradeTotals: data.trade_totals,
    decisions: data.decisions.slice(0, KEPT.decisions),
    instruments: new Map(data.instruments.map((one) => [instrumentKey(one.venue, one.symbol), one])),
  };
}

function curveOf(curve: EquityCurve): Curve {
  return { quote: curve.quote, initial: curve.initial_balance, points: extend([], curve.points.map(pointOf)) };
}

function pointOf(point: EquityPoint): Point {
  return [Date.parse(point.at), point.equity];
}
