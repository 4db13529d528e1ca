/** The one WebSocket of the page: connects, reconnects, and hands frames on. Knows nothing of their meaning. */

import type { Frame } from '../api/wire';
import { waitBefore } from './backoff';

export type SocketState =
  | { kind: 'connecting' }
  | { kind: 'open' }
  /** Lost, with the code of its end; the next attempt is at `retryAt` (epoch milliseconds). */
  | { kind: 'waiting'; retryAt: number; code: number }
  /** Closed on purpose while nobody looks. */
  | { kind: 'paused' };

export interface SocketOptions {
  url: string;
  onframe: (frame: Frame) => void;
  onstate: (state: SocketState) => void;
  /** Replaced in tests. */
  open?: (url: string) => WebSocket;
  now?: () => number;
  random?: () => number;
}

/** The code with which the server ends a connection that needs a session. */
export const SIGN_IN_NEEDED = 4401;

/** Silence after which a connection counts as dead; the server says something every second. */
const SILENCE_MS = 15_000;

export class LiveSocket {
  #options: Required<SocketOptions>;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SocketOptions) {
    this.#options = { open: (url) => new WebSocket(url), now: Date.now, random: Math.random, ...options };
  }

  /** Connect now, whatever the state. */
  connect(): void {
    this.#drop();
    this.#options.onstate({ kind: 'connecting' });
    const socket = this.#options.open(this.#options.url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#options.onstate({ kind: 'open' });
      this.#listen();
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      // Only a connection that delivers is a good one: a server that accepts and drops is backed off from.
      this.#attempt = 0;
      this.#listen();
      this.#options.onframe(JSON.parse(event.data) as Frame);
    };
    socket.onclose = (event: CloseEvent) => this.#lost(event.code);
  }

  /** Close until `connect` is called again. */
  pause(): void {
    this.#drop();
    this.#options.onstate({ kind: 'paused' });
  }

  /** Send a request; without an open connection it is left out, since a new one starts with a snapshot anyway. */
  send(request: { type: string; id?: string; data?: object }): void {
    const socket = this.#socket;
    if (socket?.readyState === socket?.OPEN) socket?.send(JSON.stringify(request));
  }

  #listen(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lost(1006), SILENCE_MS);
  }

  #lost(code: number): void {
    this.#drop();
    const wait = waitBefore(this.#attempt++, this.#options.random());
    this.#options.onstate({ kind: 'waiting', retryAt: this.#options.now() + wait, code });
    this.#retry = setTimeout(() => this.connect(), wait);
  }

  #drop(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
