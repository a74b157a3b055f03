/** Waits for `work`, for `boundMs` at most or for as long as it takes; answers whether it ended. It goes on either way. */
export async function within(work: Promise<void>, boundMs: number | null): Promise<boolean> {
  const done = work.then(() => true);
  if (boundMs === null) return done;
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), boundMs);
  });
  try {
    return await Promise.race([done, bound]);
  } finally {
    clearTimeout(timer);
  }
}
