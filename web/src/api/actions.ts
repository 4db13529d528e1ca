/**
 * What the user may ask the engine to do. Each tells the outcome in a toast and, when it failed, in the
 * list of errors; each returns whether it worked.
 */

import { feedback } from '../feedback.svelte';
import { show, t } from '../i18n';
import { api, problemText } from './client';

interface Answer {
  error?: unknown;
  response: Response;
}

async function report(request: Promise<Answer>, done: string): Promise<boolean> {
  let text: string;
  try {
    const { error, response } = await request;
    if (response.ok) {
      feedback.toast('done', done);
      return true;
    }
    text =
      response.status === 401
        ? t('fault.sign_in')
        : (problemText(error) ?? t('fault.unknown', { status: response.status }));
  } catch {
    text = t('fault.network');
  }
  feedback.toast('error', text);
  feedback.fault(text);
  return false;
}

/** A fresh key for a request that may trade: sent twice, it is done once. */
function once(): { 'Idempotency-Key': string } {
  return { 'Idempotency-Key': crypto.randomUUID() };
}

function nameOf(bot: string | null): string {
  return bot ?? t('all_bots');
}

function queryOf(bot: string | null): { bot?: string } {
  return bot === null ? {} : { bot };
}

export function start(bot: string | null): Promise<boolean> {
  const params = { query: queryOf(bot), header: once() };
  return report(api.POST('/api/start', { params }), t('done.start', { bot: nameOf(bot) }));
}

export function pause(bot: string | null): Promise<boolean> {
  const params = { query: queryOf(bot), header: once() };
  return report(api.POST('/api/pause', { params }), t('done.pause', { bot: nameOf(bot) }));
}

export function resume(bot: string | null): Promise<boolean> {
  const params = { query: queryOf(bot), header: once() };
  return report(api.POST('/api/resume', { params }), t('done.resume', { bot: nameOf(bot) }));
}

export function stop(bot: string | null, closePositions: boolean): Promise<boolean> {
  const params = { query: { ...queryOf(bot), close_positions: closePositions }, header: once() };
  return report(api.POST('/api/stop', { params }), t('done.stop', { bot: nameOf(bot) }));
}

export function kill(closePositions: boolean): Promise<boolean> {
  const params = { query: { close_positions: closePositions }, header: once() };
  return report(api.POST('/api/kill', { params }), t('done.kill'));
}

export function closePosition(symbol: string, bot: string): Promise<boolean> {
  const request = api.POST('/api/close_position', { params: { header: once() }, body: { symbol, bot } });
  return report(request, t('done.close', { symbol }));
}

export function setSpeed(speed: number): Promise<boolean> {
  return report(api.POST('/api/speed', { body: { speed } }), t('done.speed', { n: show.whole(speed) }));
}
