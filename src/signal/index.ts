import { firmware } from './firmware';
import { flag } from './flag';
import { kernel } from './kernel';
import { library } from './library';
import type { Signal } from './signal';

/**
 * Every way in which a host can show that it needs a restart. A new one is a
 * file beside these with its test, and a line here.
 */
export const signals: readonly Signal[] = [flag, kernel, library, firmware];
