// Stand-ins for services of other teams. Like good services they do a thing once per key, however often they are asked.

const charges = new Map<string, { customer: string; cents: number }>();
const taken = new Map<string, number>();
const returned = new Set<string>();
let pens = 100;

export const stock = {
  get pens(): number {
    return pens;
  },
  take(key: string, _sku: string, pieces: number): void {
    if (!taken.has(key)) pens -= pieces;
    taken.set(key, pieces);
  },
  putBack(orderId: string, _sku: string, pieces: number): void {
    if (!returned.has(orderId)) pens += pieces;
    returned.add(orderId);
  },
};

export const payments = {
  get total(): number {
    return [...charges.values()].reduce((sum, { cents }) => sum + cents, 0);
  },
  async charge(key: string, customer: string, cents: number): Promise<string> {
    charges.set(key, { customer, cents });
    return key;
  },
  async refund(receipt: string): Promise<void> {
    charges.delete(receipt);
  },
};

export const trucks = [
  { name: "truck-1", free: 10 },
  { name: "truck-2", free: 40 },
];

/** Everything as it was in the morning. */
export function newDay(): void {
  charges.clear();
  taken.clear();
  returned.clear();
  pens = 100;
}
