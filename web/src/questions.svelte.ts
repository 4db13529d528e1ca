/** What the user is about to do and has to confirm first; `shell/Confirm.svelte` asks. */

export type Question =
  | { kind: 'close'; bot: string; symbol: string; unrealised: number; quote: string }
  | { kind: 'pause'; bot: string | null }
  | { kind: 'stop'; bot: string }
  | { kind: 'kill' };

class Questions {
  open = $state.raw<Question | null>(null);

  ask(question: Question): void {
    this.open = question;
  }

  drop(): void {
    this.open = null;
  }
}

export const questions = new Questions();
