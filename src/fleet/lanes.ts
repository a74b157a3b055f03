/**
 * How soon a probe should get its turn, the soonest first. `asked`: somebody waits for it. `planned`: its time has come.
 * `returning`: the host was well and seems to be restarting. `doubtful`: the host has been failing.
 */
const lanes = ['asked', 'planned', 'returning', 'doubtful'] as const;
export type Lane = (typeof lanes)[number];

/**
 * The part of the turns that a lane may take at most. Hosts that may well time out get only some, each kind its own, so
 * that a thousand dead ones delay neither those that answer nor those that are just coming back.
 */
const shares: Readonly<Record<Lane, number>> = { asked: 1, planned: 1, returning: 1 / 4, doubtful: 1 / 4 };

interface Waiting {
  lane: Lane;
  readonly start: () => void;
}

/** Bounds how many probes are in flight. */
export class Lanes {
  private readonly waiting = perLane(() => new Set<Waiting>());
  private readonly inFlight = perLane(() => 0);

  constructor(private bound: number) {}

  /** Takes another bound; what is in flight goes on. */
  setBound(bound: number): void {
    this.bound = bound;
    this.startNext();
  }

  /** Probes in flight now. */
  get running(): number {
    return lanes.reduce((total, lane) => total + this.inFlight[lane], 0);
  }

  /** Probes whose turn has not come. */
  get queued(): number {
    return lanes.reduce((total, lane) => total + this.waiting[lane].size, 0);
  }

  /** Runs `work` when its turn comes. `hurry` moves it to the front while it waits. */
  enter<T>(lane: Lane, work: () => Promise<T>): { done: Promise<T>; hurry: () => void } {
    let place: Waiting | null = null;
    const done = new Promise<T>((resolve, reject) => {
      place = {
        lane,
        start: () => {
          const taken = place?.lane ?? lane;
          this.inFlight[taken]++;
          work()
            .then(resolve, reject)
            .finally(() => {
              this.inFlight[taken]--;
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
    while (this.running < this.bound) {
      const lane = lanes.find((each) => this.waiting[each].size > 0 && this.inFlight[each] < this.boundOf(each));
      const next = lane === undefined ? undefined : this.waiting[lane].values().next().value;
      if (lane === undefined || next === undefined) return;
      this.waiting[lane].delete(next);
      next.start();
    }
  }

  private boundOf(lane: Lane): number {
    return Math.max(1, Math.floor(this.bound * shares[lane]));
  }
}

function perLane<T>(make: () => T): Record<Lane, T> {
  return { asked: make(), planned: make(), returning: make(), doubtful: make() };
}
