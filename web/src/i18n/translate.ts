/** Dictionaries: typed keys, typed placeholders, plurals by the rules of the language. */

import { en } from './en';
import { fr } from './fr';

export type Key = keyof typeof en;
export type Dictionary = Record<Key, string>;

export const dictionaries: Record<'en' | 'fr', Dictionary> = { en, fr };

/** The names in braces of a text: `Params<'{n} of {all}'>` is `'n' | 'all'`. */
type Params<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Params<Rest> : never;

export type Args<K extends Key> = [Params<(typeof en)[K]>] extends [never]
  ? []
  : [values: Record<Params<(typeof en)[K]>, string | number>];

/** Texts that exist once per plural form: `trades` for `trades.one` and `trades.other`. */
export type PluralKey = Key extends infer K ? (K extends `${infer Stem}.other` ? Stem : never) : never;

function fill(text: string, values: Record<string, string | number> | undefined): string {
  return values === undefined ? text : text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** Return the text of `key` in `language`, its placeholders filled in. */
export function translate<K extends Key>(language: 'en' | 'fr', key: K, ...args: Args<K>): string {
  return fill(dictionaries[language][key], args[0] as Record<string, string | number> | undefined);
}

/** Return the plural form of `stem` that fits `count`; `{n}` in it is `shown`. */
export function translateCount(language: 'en' | 'fr', stem: PluralKey, count: number, shown: string): string {
  const form = new Intl.PluralRules(language).select(count) === 'one' ? 'one' : 'other';
  return fill(dictionaries[language][`${stem}.${form}` as Key], { n: shown });
}

/** Return the text of a key that may not exist (names made by the server), or undefined. */
export function lookUp(language: 'en' | 'fr', key: string): string | undefined {
  return (dictionaries[language] as Record<string, string | undefined>)[key];
}
