import fc from 'fast-check';
import { acceptsGzip, negotiateFormat } from './negotiation';

describe('negotiateFormat', () => {
  test.each([
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/plain', 'text'],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text; version=0.0.1', 'text'],
    ['application/openmetrics-text; version=2.0.0', 'text'],
    ['Application/OpenMetrics-Text', 'openmetrics'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=0.3,text/plain;q=0.7', 'text'],
    ['application/openmetrics-text;q=0.7,text/plain;q=0.7', 'openmetrics'],
    // Prometheus 2.
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    // Prometheus 3.
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
        'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,/;q=0.1',
      'openmetrics',
    ],
    // With protobuf, which is not spoken here.
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.5',
      'text',
    ],
    ['application/openmetrics-text;q=nonsense', 'text'],
  ])('%j: %s', (accept, expected) => {
    expect(negotiateFormat(accept)).toBe(expected);
  });

  test('answers anything', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('q=', ';', ',', 'text/plain', '*', '/', '0', '.', ' ', 'x') }),
        (accept) => {
          expect(['text', 'openmetrics']).toContain(negotiateFormat(accept));
          expect(typeof acceptsGzip(accept)).toBe('boolean');
        },
      ),
    );
  });
});

describe('acceptsGzip', () => {
  test.each([
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['GZIP', true],
    ['gzip, deflate, br', true],
    ['deflate;q=0.5, gzip;q=1.0', true],
    ['gzip;q=0', false],
    ['gzip;q=0.0', false],
    ['*', true],
    ['*;q=0', false],
    ['identity', false],
    ['gzip;q=0, *', false],
    ['*;q=0, gzip', true],
  ])('%j: %s', (accept, expected) => {
    expect(acceptsGzip(accept)).toBe(expected);
  });
});
