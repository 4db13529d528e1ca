/** Texts and figures in the language that the user chose. Reading them in a component follows the choice. */

import * as numbers from '../format/numbers';
import * as times from '../format/times';
import { preferences } from '../preferences.svelte';
import { type Args, type Key, lookUp, type PluralKey, translate, translateCount } from './translate';

export function t<K extends Key>(key: K, ...args: Args<K>): string {
  return translate(preferences.language, key, ...args);
}

/** Return a counted noun: `tn('trade', 3)` is "3 trades". */
export function tn(stem: PluralKey, count: number): string {
  return translateCount(preferences.language, stem, count, numbers.whole(count, preferences.locale));
}

type Kind = 'check' | 'reason' | 'state' | 'parameter' | 'output';

/** Return what a name of the server's means in words (check, reason, state), or the name itself. */
export function named(kind: Kind, name: string): string {
  return lookUp(preferences.language, `${kind}.${name}`) ?? name.replaceAll('_', ' ');
}

/** Return in words why a bot held: a check that failed, or a rule that refused. */
export function heldBy(name: string): string {
  return lookUp(preferences.language, `held.${name}`) ?? named('check', name);
}

/** Figures in the user's locale. */
export const show = {
  whole: (value: number | null | undefined) => numbers.whole(value, preferences.locale),
  money: (value: number | null | undefined) => numbers.money(value, preferences.locale),
  signedMoney: (value: number | null | undefined) => numbers.signedMoney(value, preferences.locale),
  percent: (value: number | null | undefined, digits?: number) => numbers.percent(value, preferences.locale, digits),
  share: (percentage: number) => numbers.share(percentage, preferences.locale),
  signedPercent: (value: number | null | undefined) => numbers.signedPercent(value, preferences.locale),
  price: (value: number | null | undefined, digits?: number) => numbers.price(value, preferences.locale, digits),
  quantity: (value: number | null | undefined) => numbers.quantity(value, preferences.locale),
  compact: (value: number | null | undefined) => numbers.compact(value, preferences.locale),
  measure: (value: number | null | undefined) => numbers.measure(value, preferences.locale),
  bytes: (value: number | null | undefined) => numbers.bytes(value, preferences.locale),
  moment: (ms: number | null | undefined) => times.moment(ms, preferences.locale),
  minute: (ms: number | null | undefined) => times.minute(ms, preferences.locale),
  day: (ms: number | null | undefined) => times.day(ms, preferences.locale),
  duration: (ms: number | null | undefined) => times.duration(ms, preferences.locale),
  milliseconds: (ms: number | null | undefined) => times.milliseconds(ms, preferences.locale),
  delay: (ms: number | null | undefined) => times.delay(ms, preferences.locale),
};
