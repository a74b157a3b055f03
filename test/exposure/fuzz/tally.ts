import type { Tried } from './try-scene';

/** What came out of many scenes. */
export class Tally {
  private readonly beganMs = performance.now();
  private readonly verdicts: Record<string, number> = {};
  private readonly evaluateMs: number[] = [];
  tried = 0;
  notLoaded = 0;
  /** Scenes in which at least half of the public peers got in somewhere. */
  open = 0;
  /** Said "not exposed" although at least half of the public peers got in. */
  forbidden = 0;
  wrongExposed = 0;
  undecided = 0;
  /** Single peers that got in though they could not. */
  unsound = 0;
  /** Single peers that did not get in though they surely would. */
  imprecise = 0;

  add({ verdict, result, evaluateMs }: Tried): void {
    this.tried += 1;
    this.verdicts[verdict.verdict] = (this.verdicts[verdict.verdict] ?? 0) + 1;
    this.open += result.anywhere.length > 0 ? 1 : 0;
    this.forbidden += result.forbidden ? 1 : 0;
    this.wrongExposed += result.wrongExposed ? 1 : 0;
    this.undecided += result.undecided ? 1 : 0;
    for (const one of result.discrepancies) this[one.kind] += 1;
    this.evaluateMs.push(evaluateMs);
  }

  /** Whether nobody got in whom the evaluation had shut out. */
  get isSound(): boolean {
    return this.forbidden === 0 && this.unsound === 0;
  }

  line(): string {
    const sorted = [...this.evaluateMs].sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
    return (
      `${this.tried} rulesets in ${Math.round((performance.now() - this.beganMs) / 1000)} s (${this.notLoaded} did not load): ` +
      `${this.open} open to anywhere; said ${JSON.stringify(this.verdicts)}; ` +
      `wrongly not exposed ${this.forbidden}, wrongly exposed ${this.wrongExposed}, undecided ${this.undecided}; ` +
      `single peers: ${this.unsound} got in unforeseen, ${this.imprecise} did not though foreseen; ` +
      `evaluation median ${at(0.5)} ms, 99 % ${at(0.99)} ms`
    );
  }
}
