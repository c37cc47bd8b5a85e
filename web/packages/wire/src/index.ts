/** The messages of the platform and of Meet, and their limits, generated from the crate `wire`. */
export * from './generated/index';
