/** Gives the smallest member first. */
export class Heap<Member> {
  readonly #members: Member[] = [];
  readonly #isBefore: (a: Member, b: Member) => boolean;

  constructor(isBefore: (a: Member, b: Member) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#members.length;
  }

  peek(): Member | undefined {
    return this.#members[0];
  }

  push(member: Member): void {
    const members = this.#members;
    let place = members.push(member) - 1;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = members[parentPlace] as Member;
      if (!this.#isBefore(member, parent)) break;
      members[place] = parent;
      place = parentPlace;
    }
    members[place] = member;
  }

  pop(): Member | undefined {
    const members = this.#members;
    const first = members[0];
    const last = members.pop();
    if (last === undefined || members.length === 0) return first;
    let place = 0;
    for (let child = 1; child < members.length; child = 2 * place + 1) {
      if (child + 1 < members.length && this.#isBefore(members[child + 1] as Member, members[child] as Member)) child++;
      if (!this.#isBefore(members[child] as Member, last)) break;
      members[place] = members[child] as Member;
      place = child;
    }
    members[place] = last;
    return first;
  }
}
