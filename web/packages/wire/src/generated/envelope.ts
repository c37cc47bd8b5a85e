// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

/** Trace context of the W3C (`traceparent`, `tracestate`), passed through. */
export type Trace = {
  /** `traceparent` header value. */
  traceparent?: string;
  /** `tracestate` header value. */
  tracestate?: string;
};

/** A message with its envelope: its own id, the id of the message that it answers, trace context. */
export type Envelope<Message> = Message & { id?: string; ref?: string; trace?: Trace };
