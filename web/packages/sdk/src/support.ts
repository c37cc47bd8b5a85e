import { mediaDevices } from './media/devices';

/** Whether meetings work here; `insecure`: the page was not loaded over HTTPS or from localhost. */
export function checkSupport(): 'ok' | 'insecure' | 'unsupported' {
  if (!window.isSecureContext) return 'insecure';
  const rtc = typeof RTCPeerConnection === 'function' && 'addTransceiver' in RTCPeerConnection.prototype;
  return rtc && typeof WebSocket === 'function' && mediaDevices() !== undefined ? 'ok' : 'unsupported';
}
