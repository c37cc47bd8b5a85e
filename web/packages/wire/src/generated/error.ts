// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

/** `error_type` of an `error` message. The set is the public packages'; details say more. */
export type ErrorType =
  | 'authentication_failed'
  | 'unsupported_message'
  | 'invalid_json'
  | 'invalid_message'
  | 'sdp_offer_processing'
  | 'sdp_offer_update_processing'
  | 'server_error'
  | 'invalid_parameter'
  | 'resource_unavailable';

/** Codes with which the server closes a WebSocket: 4999 is final, at the others come back. */
export const CLOSE_CODES = {
  restart: 1012,
  tryAgainLater: 1013,
  final: 4999,
} as const;
