import type { HostDocument } from '../document/host-document';

/** Placeholder-free landing pages: one row a host, and one host whole. */
export function renderFleetPage(documents: readonly HostDocument[], _query: unknown): string {
  const rows = documents.map(
    (document) =>
      `<tr><td><a href="/hosts/${encodeURIComponent(document.host)}">${escapeHtml(document.host)}</a></td>` +
      `<td>${escapeHtml(document.stack)}</td><td>${document.urgency}</td><td>${document.restart.verdict}</td></tr>`,
  );
  return page('reboot-exporter', `<p><a href="/metrics">Metrics</a></p><table>${rows.join('\n')}</table>`);
}

export function renderHostPage(document: HostDocument): string {
  return page(document.host, `<pre>${escapeHtml(JSON.stringify(document, null, 2))}</pre>`);
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title><h1>${escapeHtml(title)}</h1>${body}</html>\n`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
