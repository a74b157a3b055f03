/** Until the answer is called, a signal that asks for the end first lets `stop` tidy up. */
export function stopAtSignal(stop: () => Promise<void>): () => void {
  const end = (): void => void stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
  };
}
