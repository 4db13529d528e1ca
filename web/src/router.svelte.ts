/** The address bar as state. Links are plain anchors: `follow` turns their clicks into page changes. */

import { type Route, routeOf } from './routes';

class Router {
  route = $state.raw<Route>(routeOf(location.pathname, location.search));

  constructor() {
    addEventListener('popstate', () => this.#read());
  }

  #read(): void {
    this.route = routeOf(location.pathname, location.search);
  }

  go(address: string): void {
    if (address === location.pathname + location.search) return;
    history.pushState(null, '', address);
    this.#read();
    scrollTo(0, 0);
  }

  /** Change the query without a step in the browser's history: filters as they are typed. */
  replaceQuery(query: URLSearchParams): void {
    const text = query.toString();
    history.replaceState(null, '', location.pathname + (text && '?' + text));
    this.#read();
  }

  /** Click listener for the whole page: own links change the page, everything else is the browser's. */
  follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (routeOf(link.pathname, '').page === null) return;
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname) return;
    this.go(link.pathname + link.search);
  };
}

export const router = new Router();
