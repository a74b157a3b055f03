import type { ScrapedSample } from '../e2e/scrape';

/** What one scrape says of one host. */
export class HostView {
  private readonly byName = new Map<string, ScrapedSample[]>();
  seriesCount = 0;

  add(sample: ScrapedSample): void {
    this.seriesCount += 1;
    const all = this.byName.get(sample.name);
    if (all === undefined) this.byName.set(sample.name, [sample]);
    else all.push(sample);
  }

  value(name: string): number | undefined {
    const found = this.byName.get(name) ?? [];
    if (found.length > 1) throw new Error(`${found.length} samples of ${name} of one host`);
    return found[0]?.value;
  }

  /** The values of a label, sorted and joined: how sets are compared. */
  words(name: string, label: string): string {
    return (this.byName.get(name) ?? [])
      .map(({ labels }) => labels[label] ?? '')
      .sort()
      .join(' ');
  }
}

/** Takes a scrape apart, by the `host` label. What has none is under the empty name. */
export function viewsOf(samples: readonly ScrapedSample[]): Map<string, HostView> {
  const views = new Map<string, HostView>();
  for (const sample of samples) {
    const name = sample.labels['host'] ?? '';
    let view = views.get(name);
    if (view === undefined) views.set(name, (view = new HostView()));
    view.add(sample);
  }
  return views;
}
