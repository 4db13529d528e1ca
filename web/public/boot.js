/* Runs before the first paint: theme, colours and language that were chosen last time. */
(function () {
  var root = document.documentElement;
  var read = function (key) {
    try {
      return localStorage.getItem('regatta.' + key);
    } catch {
      return null; // storage switched off: the defaults of the style sheet hold
    }
  };
  var theme = read('theme') || 'dark';
  if (theme === 'system') theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  root.dataset.theme = theme;
  root.dataset.palette = read('palette') || 'classic';
  root.lang = read('language') || (/^fr\b/i.test(navigator.language) ? 'fr' : 'en');
})();
