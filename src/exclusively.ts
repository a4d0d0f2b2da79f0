/** The last of what is done, or to be done, by key. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Does one thing after the other for what has the same key: a jail that is being started cannot be stopped meanwhile.
 *
 * @param key what it is about
 * @param task what to do
 * @returns what the task returns
 */
export function exclusively<T>(key: string, task: () => Promise<T>): Promise<T> {
  const before = queues.get(key) ?? Promise.resolve();
  const own = before.then(task);
  const settled = own.catch(() => {});
  queues.set(key, settled);
  void settled.then(() => {
    if (queues.get(key) === settled) queues.delete(key);
  });
  return own;
}
