import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

/**
 * The colours of Okabe and Ito, which people with any of the usual kinds of colour blindness can tell apart, and which read
 * on a dark and on a light ground. A colour never stands alone: the word is always beside it.
 */
export const colour = {
  good: '#009E73',
  notice: '#56B4E9',
  warning: '#E69F00',
  critical: '#D55E00',
  unknown: '#999999',
} as const;

/** Words and colours of the numbers of `urgency`. */
export const urgencyWords: dashboard.ValueMapping[] = [
  words({
    '-1': { text: 'Not known', color: colour.unknown, index: 4 },
    '0': { text: 'None needed', color: colour.good, index: 0 },
    '1': { text: 'Notice', color: colour.notice, index: 1 },
    '2': { text: 'Warning', color: colour.warning, index: 2 },
    '3': { text: 'Critical', color: colour.critical, index: 3 },
  }),
];

export function words(options: Record<string, dashboard.ValueMappingResult>): dashboard.ValueMap {
  return { type: dashboard.MappingType.ValueToText, options };
}

/** One colour whatever the value. */
export function fixedColour(hex: string): dashboard.FieldColorBuilder {
  return new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Fixed).fixedColor(hex);
}

/** Colours by steps of the value; the first step begins at minus infinity. */
export function steps(...values: readonly (readonly [number | null, string])[]): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(values.map(([value, color]) => ({ value, color })));
}
