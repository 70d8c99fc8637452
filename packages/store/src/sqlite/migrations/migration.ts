/** One step of the schema. Numbers only grow; a step that has been released is never changed. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}
