import { version } from '../../version';
import { markup, type Content, type Html } from './markup';
import { stylesheetName } from './stylesheet';

/** One page of the site. */
export interface Page {
  readonly title: string;
  /** The relative path to `/`: links hold behind a proxy that serves this under a prefix. */
  readonly root: './' | '../' | '../../';
  /** Seconds after which the browser loads the page again; null: never. */
  readonly reloadSeconds: number | null;
  readonly body: Content;
}

/** The whole document. No script and no inline style, as the content policy demands. */
export function renderPage({ title, root, reloadSeconds, body }: Page): string {
  const whole: Html = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${reloadSeconds !== null && markup`<meta http-equiv="refresh" content="${reloadSeconds}">\n`}<link rel="stylesheet" href="${root}${stylesheetName}">
<link rel="icon" type="image/svg+xml" href="${root}favicon.svg">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="${root}">reboot-exporter</a>
<nav aria-label="Site"><a href="${root}">Servers</a> <a href="${root}metrics">Metrics</a> <a href="${root}api/v1/hosts">JSON</a></nav>
</header>
<main id="main">
${body}
</main>
<footer>reboot-exporter ${version}. It reports; it never restarts anything.</footer>
</body>
</html>
`;
  return whole.text;
}

/** The page of an address that leads nowhere. */
export function renderNotFoundPage(root: Page['root'], what: string): string {
  return renderPage({
    title: 'Not found',
    root,
    reloadSeconds: null,
    body: markup`<h1>Not found</h1>\n<p>${what}</p>\n<p><a href="${root}">To the list of servers</a></p>`,
  });
}
