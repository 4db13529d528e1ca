/** What the user chose about the look of the dashboard; kept in the browser, read by /boot.js before the first paint. */

export const THEMES = ['dark', 'light', 'system'] as const;
export const PALETTES = ['classic', 'colour-blind', 'red-up'] as const;
export const LANGUAGES = ['en', 'fr'] as const;

export type Theme = (typeof THEMES)[number];
export type Palette = (typeof PALETTES)[number];
export type Language = (typeof LANGUAGES)[number];

/** Return the stored choice when it is one of the allowed ones. */
function stored<T extends string>(key: string, allowed: readonly T[]): T | undefined {
  try {
    const value = localStorage.getItem('regatta.' + key);
    return allowed.find((one) => one === value);
  } catch {
    return undefined; // storage is switched off: choices last as long as the page
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem('regatta.' + key, value);
  } catch {
    // As above.
  }
}

class Preferences {
  theme = $state<Theme>(stored('theme', THEMES) ?? 'dark');
  palette = $state<Palette>(stored('palette', PALETTES) ?? 'classic');
  language = $state<Language>(
    stored('language', LANGUAGES) ?? (/^fr\b/i.test(globalThis.navigator?.language ?? '') ? 'fr' : 'en'),
  );
  #systemLight = $state(false);

  /** The theme that is shown: `system` resolved. */
  readonly shownTheme = $derived(this.theme === 'system' ? (this.#systemLight ? 'light' : 'dark') : this.theme);

  /** The locale for numbers and dates: the browser's own region of the language where it names one. */
  readonly locale = $derived.by(() => {
    const own = globalThis.navigator?.languages?.find((tag) => tag.toLowerCase().startsWith(this.language + '-'));
    return own ?? (this.language === 'fr' ? 'fr-FR' : 'en-GB');
  });

  /** Follow the system's theme and keep the document's attributes in step. Call once, inside a component. */
  mount(): void {
    $effect(() => {
      const query = matchMedia('(prefers-color-scheme: light)');
      const follow = () => (this.#systemLight = query.matches);
      follow();
      query.addEventListener('change', follow);
      return () => query.removeEventListener('change', follow);
    });
    $effect(() => {
      const root = document.documentElement;
      root.dataset.theme = this.shownTheme;
      root.dataset.palette = this.palette;
      root.lang = this.language;
    });
  }

  choose(choice: { theme?: Theme; palette?: Palette; language?: Language }): void {
    for (const [key, value] of Object.entries(choice)) store(key, value);
    Object.assign(this, choice);
  }
}

export const preferences = new Preferences();
