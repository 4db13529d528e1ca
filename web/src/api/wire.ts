/** Names for the generated types (`npm run types` writes types.ts from the OpenAPI document). */

import type { components } from './types';

type Schemas = components['schemas'];

export type BotView = Schemas['BotView'];
export type Check = Schemas['CheckView'];
export type Decision = Schemas['DecisionView'];
export type EquityCurve = Schemas['EquityCurve'];
export type EquityPoint = Schemas['EquityPoint'];
export type FeedView = Schemas['FeedView'];
export type Instrument = Schemas['InstrumentView'];
export type LivePosition = Schemas['LivePositionView'];
export type Mode = BotView['mode'];
export type Price = Schemas['PriceView'];
export type Problem = Schemas['Problem'];
export type Session = Schemas['SessionView'];
export type Snapshot = Schemas['SnapshotData'];
export type Speed = Schemas['SpeedView'];
export type SymbolChecks = Schemas['SymbolChecksView'];
export type SystemStatus = Schemas['SystemStatusView'];
export type Totals = Schemas['Totals'];
export type Trade = Schemas['TradeView'];
export type Trades = Schemas['Trades'];
export type TradeStory = Schemas['TradeStory'];
export type TradeTotals = Schemas['TradeTotals'];

/** What the server says on `/ws`, told apart by `type`. */
export type Frame =
  | Schemas['SnapshotFrame']
  | Schemas['PriceFrame']
  | Schemas['PositionFrame']
  | Schemas['BalanceFrame']
  | Schemas['SystemFrame']
  | Schemas['TradeFrame']
  | Schemas['FillFrame']
  | Schemas['SignalFrame']
  | Schemas['BotStatusFrame']
  | Schemas['EquityFrame']
  | Schemas['SpeedFrame']
  | Schemas['PongFrame']
  | Schemas['ResultFrame']
  | Schemas['ErrorFrame'];
