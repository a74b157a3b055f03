import { defaultPolicy } from './defaults';
import type { StackPolicy } from './policy';

/** The policy of a stack; of one that nobody named, that of `default`. */
export function policyOf(stacks: ReadonlyMap<string, StackPolicy>, stack: string): StackPolicy {
  return stacks.get(stack) ?? stacks.get('default') ?? defaultPolicy;
}
