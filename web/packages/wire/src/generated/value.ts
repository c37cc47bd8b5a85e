// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

export type JsonValue =
  | number
  | string
  | boolean
  | Array<JsonValue>
  | { [key in string]: JsonValue }
  | null;
