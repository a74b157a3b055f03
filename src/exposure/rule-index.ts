import type { Flow } from './packet';

/** As much of a rule as its index needs; see program.ts. */
interface Indexed {
  readonly steps: readonly { readonly kind: 'test' | 'act'; readonly ports?: readonly number[] }[];
}

/** Chains shorter than this are gone through as they are. */
const WORTH_IT = 32;

/** Which rules of a chain a packet can match at all, by its destination port: of thousands there are often a few. */
export class RuleIndex<R extends Indexed = Indexed> {
  private readonly byPort = new Map<number, number[]>();
  private readonly general: number[] = [];
  private readonly merged = new Map<number, readonly R[]>();

  constructor(
    /** Every rule that decides something. */
    readonly all: readonly R[],
    private readonly selective: boolean,
  ) {
    if (!selective) return;
    for (const [position, rule] of all.entries()) {
      const ports = portsOf(rule);
      if (ports === null) {
        this.general.push(position);
        continue;
      }
      for (const port of ports) {
        const list = this.byPort.get(port);
        if (list === undefined) this.byPort.set(port, [position]);
        else list.push(position);
      }
    }
  }

  /** The rules worth asking. On the way out the destination port is the peer's, which no rule is passed over for. */
  rulesFor(flows: readonly Flow[]): readonly R[] {
    const first = flows[0];
    if (!this.selective || first === undefined) return this.all;
    const { dport, direction } = first.packet;
    if (dport === null || direction === 'reply' || flows.some((flow) => flow.packet.dport !== dport)) return this.all;
    const known = this.merged.get(dport);
    if (known !== undefined) return known;
    const found = this.mergedFor(dport);
    if (this.merged.size < 4096) this.merged.set(dport, found);
    return found;
  }

  private mergedFor(port: number): readonly R[] {
    const own = this.byPort.get(port) ?? [];
    const positions = [...this.general, ...own].sort((a, b) => a - b);
    return positions.map((position) => this.all[position] as R);
  }
}

/** Rules without steps decide nothing and are left out. */
export function indexRules<R extends Indexed>(rules: readonly R[]): RuleIndex<R> {
  const deciding = rules.filter((rule) => rule.steps.length > 0);
  const specific = deciding.filter((rule) => portsOf(rule) !== null).length;
  return new RuleIndex(deciding, specific >= WORTH_IT);
}

/** Ports that a rule asks for before it does anything; null: any. */
function portsOf(rule: Indexed): readonly number[] | null {
  for (const step of rule.steps) {
    if (step.kind === 'act') return null;
    if (step.ports !== undefined) return step.ports;
  }
  return null;
}
