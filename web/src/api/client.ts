/** Requests to the API, typed by its OpenAPI document. */

import createClient from 'openapi-fetch';
import type { paths } from './types';
import type { Problem } from './wire';

export const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' });

/** Return the text of a problem document, or undefined when the answer wasn't one. */
export function problemText(error: unknown): string | undefined {
  const problem = error as Partial<Problem> | undefined;
  return problem?.detail || problem?.title || undefined;
}
