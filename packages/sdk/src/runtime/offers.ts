import { ConfigError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { StartFacts, WorkflowOffer } from "../ports/source.ts";
import type { WorkflowDefinition } from "../workflow.ts";

/** The workflows of a runtime: what it offers to run, and whose code runs an instance. */
export class Offers {
  readonly #byName = new Map<string, WorkflowDefinition[]>();

  /** False: it was there already. @throws ConfigError: another function has this name and version */
  add(definition: WorkflowDefinition): boolean {
    const known = this.#byName.get(definition.name) ?? [];
    const { version } = definition;
    const same = known.find((other) => other.version === version);
    if (same?.body === definition.body) return false;
    if (same) {
      const of = version === undefined ? "" : `, version ${JSON.stringify(version)},`;
      throw new ConfigError(
        `two workflows have the name ${JSON.stringify(definition.name)}${of} and different functions; give one another name or version`,
      );
    }
    if (known.length === 0 && this.#byName.size >= limits.offersMax) {
      throw new ConfigError(
        `workflow ${JSON.stringify(definition.name)} is one too many: a runtime serves at most ${limits.offersMax}; serve the rest in another process`,
      );
    }
    if (versionsOf([...known, definition]).length > limits.versionsMax) {
      throw new ConfigError(
        `workflow ${JSON.stringify(definition.name)} has more than ${limits.versionsMax} versions to go on with; serve the rest in another process`,
      );
    }
    this.#byName.set(definition.name, [...known, definition]);
    return true;
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  /** What a claim says. */
  all(): readonly WorkflowOffer[] {
    return [...this.#byName].map(([name, definitions]) => ({ name, versions: versionsOf(definitions) }));
  }

  /** The code for an instance: of its version, else code that accepts it, else, for one that is bound to no version, the newest. */
  find({ workflow, version }: Pick<StartFacts, "workflow" | "version">): WorkflowDefinition | undefined {
    const definitions = this.#byName.get(workflow ?? "") ?? [];
    if (version === null) return definitions.findLast(isUnversioned) ?? definitions.at(-1);
    return (
      definitions.find((definition) => definition.version === version) ??
      definitions.find(({ accepts }) => accepts.includes(version)) ??
      definitions.findLast(isUnversioned)
    );
  }
}

function isUnversioned({ version }: WorkflowDefinition): boolean {
  return version === undefined;
}

function versionsOf(definitions: readonly WorkflowDefinition[]): readonly string[] {
  const versions = definitions.flatMap(({ version, accepts }) =>
    version === undefined ? accepts : [version, ...accepts],
  );
  return [...new Set(versions)];
}
