/** What follows from a value that is there, or is promised. Nothing is awaited where nothing has to be. Promises are native ones. */
export function after<A, B>(value: A | Promise<A>, next: (value: A) => B | Promise<B>): B | Promise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
