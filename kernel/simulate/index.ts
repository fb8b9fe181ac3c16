/** Seeded records of phones, cars, people, sensors and markets, as columns: for the demo, the benchmarks and `millrace simulate`. */
export { simulateCar } from "./car.ts";
export { simulateChat } from "./chat.ts";
export { simulateQuotes, simulateTrades } from "./market.ts";
export type { SimulateOptions } from "./options.ts";
export { type PackedCarOptions, simulatePackedCar } from "./packed-car.ts";
export { type SimulatePhoneOptions, simulatePhone } from "./phone.ts";
export { simulateSensor } from "./sensor.ts";
