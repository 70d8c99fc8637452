// Declared in the root entry itself, because only there a module augmentation finds it.
import type { StorableClasses } from "../index.ts";

declare const why: unique symbol;
/** What the type check puts where a value can't be stored, so that the compiler's message shows it. */
export interface CannotStore<Why extends string> {
  readonly [why]: Why;
}

type Leaf =
  // biome-ignore lint/suspicious/noConfusingVoidType: a step that returns nothing is a step
  | (null | undefined | void | boolean | number | string | bigint)
  | (Date | RegExp | URL | URLSearchParams | Error | ArrayBuffer | ArrayBufferView)
  | StorableClasses[keyof StorableClasses];

/** Levels that are looked into; recursive types end here and pass. */
type Deeper = { 6: 5; 5: 4; 4: 3; 3: 2; 2: 1; 1: 0; 0: never };

type Unstorable<T, Depth extends keyof Deeper> = Depth extends 0
  ? never
  : 0 extends 1 & T
    ? never
    : unknown extends T
      ? never
      : T extends Leaf
        ? never
        : T extends symbol
          ? CannotStore<"symbol">
          : T extends (...args: never[]) => unknown
            ? CannotStore<"function">
            : UnstorableObject<T, Deeper[Depth]>;

// Maps and sets come before the weak ones, whose shape they have, too.
type UnstorableObject<T, Depth extends keyof Deeper> =
  T extends ReadonlyMap<infer K, infer V>
    ? Unstorable<K, Depth> | Unstorable<V, Depth>
    : T extends ReadonlySet<infer V>
      ? Unstorable<V, Depth>
      : T extends readonly (infer E)[]
        ? Unstorable<E, Depth>
        : T extends PromiseLike<unknown>
          ? CannotStore<"promise: missing await?">
          : T extends WeakKeyHolder
            ? CannotStore<"weak collection">
            : UnstorableMembers<T, Depth>;

type WeakKeyHolder = WeakMap<WeakKey, unknown> | WeakSet<WeakKey> | WeakRef<WeakKey>;

type UnstorableMembers<T, Depth extends keyof Deeper> = {
  [K in keyof T as K extends symbol ? K : [Unstorable<T[K], Depth>] extends [never] ? never : K]: Unstorable<
    T[K],
    Depth
  >;
} extends infer Bad
  ? keyof Bad extends never
    ? never
    : Bad
  : never;

/** `unknown` when a T can be stored; else a type that nothing has, whose members are those that can't be.
 *  It sees what types show: a class without methods passes here and is refused at run time. */
export type Storable<T> = [Unstorable<T, 6>] extends [never]
  ? unknown
  : CannotStore<"see the member below"> & Unstorable<T, 6>;
