import { ConfigError } from "../errors.ts";
import { slot } from "../slot.ts";

/** How instances of one class are stored. */
export interface ClassSpec<T, D> {
  /** Stored with each value: never change it, and give it to no other class. */
  readonly name: string;
  /** What is stored: anything storable, other registered classes included. */
  encode(value: T): D;
  decode(data: D): T;
}

interface RegisteredClass extends ClassSpec<unknown, unknown> {
  readonly target: unknown;
}

/** Registered classes by prototype (writing) and by name (reading). */
export interface ClassRegistry {
  readonly byPrototype: Map<object, RegisteredClass>;
  readonly byName: Map<string, RegisteredClass>;
}

/** Teaches the codec a class, so that its instances (not those of subclasses) come back as themselves. Once per class; the same
 *  class again replaces its rules. @throws ConfigError when another class has the name */
export function registerClass<C extends abstract new (...args: never[]) => unknown, D>(
  target: C,
  spec: ClassSpec<InstanceType<C>, D>,
): void {
  const registry = classes();
  const holder = registry.byName.get(spec.name);
  if (holder !== undefined && holder.target !== target) {
    throw new ConfigError(
      `registerClass: the name ${JSON.stringify(spec.name)} belongs to another class already; choose another`,
    );
  }
  const entry = {
    target,
    name: spec.name,
    encode: (value: unknown): unknown => spec.encode(value as InstanceType<C>),
    decode: (data: unknown): unknown => spec.decode(data as D),
  };
  registry.byName.set(spec.name, entry);
  registry.byPrototype.set(target.prototype as object, entry);
}

/** The registry that all copies of this package share. */
export function classes(): ClassRegistry {
  const shared = slot();
  shared.classes ??= { byPrototype: new Map(), byName: new Map() };
  return shared.classes;
}
