/** The view as state of the page: frames are folded as they come and shown once per animation frame. */

import type { Frame } from '../api/wire';
import { feedback } from '../feedback.svelte';
import { apply } from './fold';
import { LiveSocket, type SocketState } from './socket';
import { marketTimeOf, type View } from './view';

/** Without a frame for so long what is shown counts as stale; the server says something every second. */
const STALE_MS = 4000;
/** A page in the background keeps its connection for so long. */
const HIDDEN_MS = 20_000;

class Live {
  /** Null until the first snapshot. */
  view = $state.raw<View | null>(null);
  socket = $state.raw<SocketState>({ kind: 'connecting' });
  /** When the last frame came (epoch milliseconds of this machine). */
  heardAt = $state<number | null>(null);
  /** This machine's clock, once a second: ages are counted from it. */
  now = $state(Date.now());
  /** The server is of another build than the one this page came from. */
  outdated = $state(false);

  readonly ageMs = $derived(this.heardAt === null ? null : Math.max(0, this.now - this.heardAt));
  readonly stale = $derived(this.socket.kind !== 'open' || this.ageMs === null || this.ageMs > STALE_MS);
  readonly marketTime = $derived(this.view === null ? null : marketTimeOf(this.view));
  readonly canWrite = $derived(this.view?.session.can_write ?? false);

  #folded: View | null = null;
  #lastHeard: number | null = null;
  #asked = false;
  #scheduled = false;
  #version: string | null = null;
  #link: LiveSocket | null = null;

  /** Connect, and follow the visibility of the page. Returns what undoes it. */
  start(): () => void {
    const link = new LiveSocket({
      url: `${location.protocol.replace('http', 'ws')}//${location.host}/ws`,
      onframe: (frame) => this.#fold(frame),
      onstate: (state) => {
        this.#asked = false;
        this.socket = state;
      },
    });
    this.#link = link;
    link.connect();

    const clock = setInterval(() => (this.now = Date.now()), 1000);
    let hiding: ReturnType<typeof setTimeout> | undefined;
    const onvisibility = () => {
      clearTimeout(hiding);
      if (document.hidden) hiding = setTimeout(() => link.pause(), HIDDEN_MS);
      else if (this.socket.kind !== 'open') link.connect();
      else this.#show();
    };
    const ononline = () => this.socket.kind === 'waiting' && link.connect();
    document.addEventListener('visibilitychange', onvisibility);
    addEventListener('online', ononline);
    return () => {
      clearInterval(clock);
      clearTimeout(hiding);
      document.removeEventListener('visibilitychange', onvisibility);
      removeEventListener('online', ononline);
      link.pause();
    };
  }

  /** Try again at once instead of waiting. */
  retry(): void {
    this.#link?.connect();
  }

  #fold(frame: Frame): void {
    this.#lastHeard = Date.now();
    const next = apply(this.#folded, frame);
    if (next === 'resync') {
      if (!this.#asked) this.#link?.send({ type: 'snapshot' });
      this.#asked = true;
      return;
    }
    if (frame.type === 'snapshot') this.#asked = false;
    this.#folded = next;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A hidden page gets no animation frames: it folds on, and draws when it is looked at again.
    requestAnimationFrame(() => this.#show());
  }

  #show(): void {
    this.#scheduled = false;
    if (this.#folded === null) return;
    this.#version ??= this.#folded.version;
    this.outdated = this.#folded.version !== this.#version;
    this.heardAt = this.#lastHeard;
    this.now = Date.now();
    this.view = this.#folded;
    feedback.reported(this.#folded.errors);
  }
}

export const live = new Live();
