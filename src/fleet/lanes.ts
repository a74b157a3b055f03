/**
 * How soon a probe should get its turn. `asked`: somebody waits for it.
 * `planned`: its time has come. `doubtful`: the host failed before; these get
 * only a part of the turns, so that a thousand hosts that time out do not
 * delay the ones that answer.
 */
export type Lane = 'asked' | 'planned' | 'doubtful';

interface Waiting {
  lane: Lane;
  readonly start: () => void;
}

/** Bounds how many probes are in flight. */
export class Lanes {
  private readonly waiting: Record<Lane, Set<Waiting>> = { asked: new Set(), planned: new Set(), doubtful: new Set() };
  private inFlight = 0;
  private doubtfulInFlight = 0;

  constructor(private bound: number) {}

  /** Takes another bound; what is in flight goes on. */
  setBound(bound: number): void {
    this.bound = bound;
    this.startNext();
  }

  /** Probes in flight now. */
  get running(): number {
    return this.inFlight;
  }

  /** Probes whose turn has not come. */
  get queued(): number {
    return this.waiting.asked.size + this.waiting.planned.size + this.waiting.doubtful.size;
  }

  /** Runs `work` when its turn comes. `hurry` moves it to the front while it waits. */
  enter<T>(lane: Lane, work: () => Promise<T>): { done: Promise<T>; hurry: () => void } {
    let place: Waiting | null = null;
    const done = new Promise<T>((resolve, reject) => {
      place = {
        lane,
        start: () => {
          const doubtful = place?.lane === 'doubtful';
          this.inFlight++;
          if (doubtful) this.doubtfulInFlight++;
          work()
            .then(resolve, reject)
            .finally(() => {
              this.inFlight--;
              if (doubtful) this.doubtfulInFlight--;
              this.startNext();
            });
        },
      };
      this.waiting[lane].add(place);
    });
    const hurry = (): void => {
      if (place === null || !this.waiting[place.lane].delete(place)) return;
      place.lane = 'asked';
      this.waiting.asked.add(place);
      this.startNext();
    };
    this.startNext();
    return { done, hurry };
  }

  private startNext(): void {
    const doubtfulBound = Math.max(1, Math.floor(this.bound / 4));
    while (this.inFlight < this.bound) {
      const next =
        first(this.waiting.asked) ??
        first(this.waiting.planned) ??
        (this.doubtfulInFlight < doubtfulBound ? first(this.waiting.doubtful) : undefined);
      if (next === undefined) return;
      this.waiting[next.lane].delete(next);
      next.start();
    }
  }
}

function first<T>(set: Set<T>): T | undefined {
  return set.values().next().value;
}
