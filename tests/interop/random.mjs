// A small seeded generator of random numbers (splitmix32), so that a seed names a trace for good: Math.random has no seed.

export class Random {
  #state;

  constructor(seed) {
    this.#state = seed | 0;
    // Neighbouring seeds start alike; a few steps tell them apart.
    for (let i = 0; i < 4; ++i) this.#next();
  }

  #next() {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  // A whole number in [low, high].
  int(low, high) {
    return low + (this.#next() % (high - low + 1));
  }

  chance(probability) {
    return this.#next() < probability * 2 ** 32;
  }

  pick(list) {
    return list[this.int(0, list.length - 1)];
  }

  // One of the values of [[weight, value], ...].
  weighted(choices) {
    let left = this.int(1, choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of choices) {
      left -= weight;
      if (left <= 0) return value;
    }
    throw new Error("unreachable");
  }
}
