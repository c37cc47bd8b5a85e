// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

/** The identification tag of an m-line (`a=mid`, RFC 5888 §4; a token). */
export type Mid = string;

/** The restriction identifier of a simulcast encoding (`a=rid`, RFC 8851 §10: letters, digits, `-` and `_`). */
export type Rid = string;
