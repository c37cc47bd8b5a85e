// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

export * from './client.js';
export * from './envelope.js';
export * from './error.js';
export * from './id.js';
export * from './limits.js';
export * from './media.js';
export * from './meet.js';
export * from './rest.js';
export * from './server.js';
export * from './text.js';
export * from './value.js';
