import { total, type Item } from "./lib";

enum Level { Low = 1, High = Low << 2 }

class Cart<T extends Item> {
  #items: T[] = [];
  add(item: T): this { this.#items.push(item); return this; }
  get sum() { return total(this.#items) ?? 0; }
}

const cart = new Cart<Item>().add({ price: 2, name: `a${Level.High}` });

async function* walk() { for await (const x of [1, 2, 3].map(async n => n ** 2)) yield x; }

console.log(cart.sum, walk, { ...cart });
