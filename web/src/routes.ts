/** Which address shows which page. Pure: the router and the tests read it. */

export const PAGES = [
  { page: 'dashboard', path: '/', key: 'd' },
  { page: 'bots', path: '/bots', key: 'b' },
  { page: 'history', path: '/history', key: 'h' },
] as const;

export type Page = (typeof PAGES)[number]['page'];

export interface Route {
  /** `null`: the address names no page. */
  page: Page | null;
  path: string;
  query: URLSearchParams;
}

/** Read an address; a slash at its end doesn't matter. */
export function routeOf(pathname: string, search: string): Route {
  const path = pathname.replace(/\/+$/, '') || '/';
  return {
    page: PAGES.find((one) => one.path === path)?.page ?? null,
    path,
    query: new URLSearchParams(search),
  };
}

/** Return the address of a page with a query; empty values are left out. */
export function addressOf(page: Page, query: Record<string, string | null | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const text = new URLSearchParams(given).toString();
  return PAGES.find((one) => one.page === page)!.path + (text && '?' + text);
}
