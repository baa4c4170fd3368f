export interface Item { price: number; name: string }
export const total = (items: readonly Item[]): number | null => items.length ? items.reduce((s, i) => s + i.price, 0) : null;
export const unused = () => { throw new Error("never"); };
